"""Run every kernel in the simulator on small frames; print its name and ``same``, or where it differs.

Run by ``test_simulator`` in a process of its own: ``numba.cuda`` is the simulator if that is said before its import.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import cuda

sys.path.insert(0, str(Path(__file__).parent))
from cases import CASES, FILTERS, SOURCES, TARGETS, Bytes, Case, random_surface
from drawings import annotated, blurs, mosaic, shapes

from picasso.draw.cpu import CpuPainter
from picasso.surface import ColorSpace, Matrix, SurfaceView, VideoFormat
from picasso.transform import Interpolation, Normalization
from picasso.transform.cpu import transform
from picasso.transform.filters import FILTERS as KERNEL_FILTERS
from picasso.transform.tensor import to_tensor
from picasso_kernels.cuda import paint
from picasso_kernels.cuda.frame_table import ADDRESSES, FrameRow
from picasso_kernels.cuda.instructions import HostMemory
from picasso_kernels.cuda.kernels import KERNELS
from picasso_kernels.cuda.plan import plan_frame
from picasso_kernels.cuda.rewrite import bind
from picasso_kernels.frame.pixel_formats import Picture, Plane
from picasso_kernels.maths.color import to_yuv

SUMMED = {"shrunk", "shrunk to a third", "halved", "halved in eights", "two thirds both ways", "shrunk to a sixth"}
SCALE, BIAS = (1 / 58.4, 0.0171, 1 / 57.1), (-2.12, -2.04, -1.8)
PAD = (114, 7, 200)


def run(thread: Callable[..., None], argument: Any, columns: int, rows: int) -> None:
    """Run ``thread(argument, column, row)`` over blocks of 8x4 threads, some of them beyond the end."""

    def kernel(argument: Any) -> None:
        column = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
        thread(argument, column, cuda.blockIdx.y * cuda.blockDim.y + cuda.threadIdx.y)

    cuda.jit(kernel)[(-(-columns // 8), -(-rows // 4)), (8, 4)](argument)


def picture(surface: SurfaceView) -> Picture:
    """Describe a host surface as the kernels' planner wants it."""
    planes = tuple(Plane(*layout[1:]) for layout in surface.plane_layout())
    color = surface.color
    name = surface.format.name()
    return Picture(name, planes, color.matrix.value, color.full_range) if color else Picture(name, planes)


def run_transform(source: SurfaceView, case: Case, target: Picture, memories: list[Bytes], name: str) -> str:
    """Run the kernel that serves this transform; return its name."""
    place = case.placement
    arguments = (picture(source), target, place.crop_ltwh, place.target_wh, place.inner_ltwh, name, (SCALE, BIAS), PAD)
    plan = plan_frame(*arguments)
    layouts = source.plane_layout()
    values = list(plan.row.item())
    for index, where in enumerate(plan.sources):
        layout = layouts[where.plane]
        values[index] = HostMemory(layout.memory, layout.base + where.shift)
    for index, where in enumerate(plan.targets):
        values[3 + index] = HostMemory(memories[where.plane], where.shift)
    for index in range(6, ADDRESSES):
        values[index] = HostMemory(plan.tables, values[index])
    kernel = KERNELS[plan.kernel]
    run(bind(kernel.write, kernel.parts), FrameRow(*values), *plan.blocks)
    return plan.kernel


def expected_tensor(source: SurfaceView, case: Case, dtype: str, name: Interpolation) -> npt.NDArray[Any]:
    """Return the planes that the CPU makes."""
    normalization = Normalization(SCALE, BIAS)
    return to_tensor([source], case.placement, normalization, dtype=dtype, pad=PAD, interpolation=name)[0]


def byte_targets(source: SurfaceView, case: Case, name: Interpolation) -> Iterator[tuple[str, bool]]:
    """Compare pictures of every target format with the CPU's."""
    for form in TARGETS:
        color = ColorSpace(Matrix.BT709) if form is VideoFormat.I420 else None
        target, expected = (random_surface(form, case.placement.target_wh, 7, color) for _ in range(2))
        transform(source, case.placement, expected, name)
        memories = [layout.memory for layout in target.plane_layout()]
        kernel = run_transform(source, case, picture(target), memories, KERNEL_FILTERS[name])
        yield kernel, bool((target.to_numpy() == expected.to_numpy()).all())


def float_targets(source: SurfaceView, case: Case, name: Interpolation) -> Iterator[tuple[str, bool]]:
    """Compare planes of float16 and float32 with the CPU's pixels."""
    width, height = case.placement.target_wh
    for form, dtype in (("half", "float16"), ("single", "float32")):
        tensor = np.full((3, height, width), np.nan, dtype)
        plane = Plane(0, tensor.strides[1], tensor.strides[2], 1)
        planes = [tensor[index].reshape(-1).view(np.uint8) for index in range(3)]
        kernel = run_transform(source, case, Picture(form, (plane,) * 3), planes, KERNEL_FILTERS[name])
        yield kernel, bool((tensor == expected_tensor(source, case, dtype, name)).all())


def transforms() -> Iterator[tuple[str, bool]]:
    """Run every kernel that transforms at least once."""
    seen: set[str] = set()
    for form, case, name in product(SOURCES, CASES, FILTERS):
        usual = name in FILTERS[:2] and form in {VideoFormat.RGBA, VideoFormat.NV12}
        blended = name is FILTERS[1] and form in {VideoFormat.RGB, VideoFormat.I420}
        summed = form is VideoFormat.RGBA and (case is CASES[-1] or case.name in {"halved", "one pixel stretched"})
        summed |= form in {VideoFormat.RGB, VideoFormat.NV12} and name in FILTERS[2:] and case.name in SUMMED
        summed |= form is VideoFormat.NV21 and name is FILTERS[2] and case.name == "halved in eights"
        if not usual and not blended and not summed and case is not CASES[1]:
            continue
        source = random_surface(form, case.placement.source_wh, 3)
        for check in (byte_targets, float_targets):
            for kernel, same in check(source, case, name):
                seen.add(kernel)
                yield kernel, same
    assert seen == set(KERNELS), set(KERNELS) - seen


def sheet_of(surface: SurfaceView, drawing: Any) -> dict[str, Any]:
    """Return the fields of ``Sheet`` for a host surface."""
    layouts = surface.plane_layout()
    main, chroma, last = layouts[0], layouts[min(1, len(layouts) - 1)], layouts[-1]
    sheet: dict[str, Any] = dict.fromkeys(paint.Sheet._fields, 0)
    sheet |= {"commands": drawing.commands.reshape(-1).tolist(), "glyphs": drawing.glyphs.reshape(-1).tolist()}
    sheet |= {"coverage": drawing.coverage, "end": len(drawing), "pixels": main.memory, "pitch": main.pitch}
    sheet |= {"width": surface.width, "height": surface.height, "blue_first": surface.format is not VideoFormat.RGBA}
    if surface.color:
        yuv = to_yuv(surface.color.matrix.value, surface.color.full_range)
        red = last.memory[1:] if surface.format is VideoFormat.NV12 else last.memory
        sheet |= {"blue": chroma.memory, "red": red, "chroma_pitch": chroma.pitch, "chroma_step": chroma.step}
        sheet |= dict(zip(yuv._fields, yuv, strict=True))
    return sheet


def paintings() -> Iterator[tuple[str, bool]]:
    """Paint shapes, letters and what annotators draw on pixels and planes."""
    for form in (VideoFormat.RGBA, VideoFormat.BGRA, VideoFormat.NV12, VideoFormat.I420):
        for drawing in (shapes(), annotated((24, 20))):
            ours, expected = (random_surface(form, (24, 20), 5) for _ in range(2))
            CpuPainter().paint(expected, drawing)
            name = "paint_planes" if ours.color else "paint_pixels"
            run(paint.PAINTERS[name], paint.Sheet(**sheet_of(ours, drawing)), 12, 10)
            yield name, bool((ours.to_numpy() == expected.to_numpy()).all())


def blurrings() -> Iterator[tuple[str, bool]]:
    """Blur a turned rectangle of pixels."""
    ours, expected = (random_surface(VideoFormat.RGBA, (24, 20), 5) for _ in range(2))
    drawing, box, curve = blurs()
    CpuPainter().paint(expected, drawing)
    scratch = np.zeros(3 * 24 * 20, np.uint8)
    sheet = sheet_of(ours, drawing) | box | curve | {"scratch": scratch}
    sheet |= {"sample_step": 4, "sample_pitch": sheet["pitch"], "plane_step": 1, "shared": 1}
    for name in ("smooth_down", "smooth_across"):
        run(paint.PAINTERS[name], paint.Sheet(**sheet), box["columns"], box["lines"])
    same = bool((ours.to_numpy() == expected.to_numpy()).all())
    yield from (("smooth_down", same), ("smooth_across", same))


def mosaics() -> Iterator[tuple[str, bool]]:
    """Show squares of a turned rectangle of pixels, and of planes."""
    ours, expected = (random_surface(VideoFormat.RGBA, (24, 20), 5) for _ in range(2))
    drawing, box = mosaic(5)
    CpuPainter().paint(expected, drawing)
    sheet = sheet_of(ours, drawing) | box | {"scratch": np.zeros(3 * 24 * 20, np.uint8), "cell": 5}
    sheet |= {"sample_step": 4, "sample_pitch": sheet["pitch"], "plane_step": 1, "shared": 1}
    yield from tile(sheet, ours, expected)
    ours, expected = (random_surface(VideoFormat.NV12, (24, 20), 5) for _ in range(2))
    CpuPainter().paint(expected, drawing)
    for plane in range(3):
        sheet = sheet_of(ours, drawing) | {"scratch": np.zeros(24 * 20, np.uint8)}
        shared = 2 if plane else 1
        sheet |= {"left": 2 // shared, "top": 0, "columns": 18 // shared, "lines": 18 // shared, "cell": 6 // shared}
        sheet |= {"sample_step": 1, "sample_pitch": sheet["pitch"], "shared": shared}
        if plane:
            sheet |= {"pixels": sheet["blue" if plane == 1 else "red"]}
            sheet |= {"sample_step": sheet["chroma_step"], "sample_pitch": sheet["chroma_pitch"]}
        for name in ("tile_means", "lay_tiles"):
            run(paint.PAINTERS[name], paint.Sheet(**sheet), sheet["columns"], sheet["lines"])
    same = bool((ours.to_numpy() == expected.to_numpy()).all())
    yield from (("tile_means", same), ("lay_tiles", same))


def tile(sheet: dict[str, Any], ours: SurfaceView, expected: SurfaceView) -> Iterator[tuple[str, bool]]:
    """Run both kernels of a mosaic."""
    for name in ("tile_means", "lay_tiles"):
        run(paint.PAINTERS[name], paint.Sheet(**sheet), sheet["columns"], sheet["lines"])
    same = bool((ours.to_numpy() == expected.to_numpy()).all())
    yield from (("tile_means", same), ("lay_tiles", same))


def main() -> None:
    """Print one line a kernel."""
    words: dict[str, list[str]] = {}
    for work in (transforms, paintings, blurrings, mosaics):
        for kernel, same in work():
            words.setdefault(kernel, []).append("same" if same else "differs")
    for kernel, results in words.items():
        print(kernel, "same" if set(results) == {"same"} else f"differs {results.count('differs')} of {len(results)}")


if __name__ == "__main__":
    main()
