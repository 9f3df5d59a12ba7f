"""The sweep over shapes of ``bench/gpu``: which kernels it runs, and what it says of its figures. No GPU is needed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from every_kernel import picture_like

from picasso.surface import VideoFormat
from picasso_kernels.cuda.kernels import KERNELS

sys.path.append(str(Path(__file__).parents[2] / "bench" / "gpu"))
from shape_cases import ROWS, SHAPES, Layout, list_kernels
from shape_report import Cell, extremes, surprises, table


def test_each_shape_of_each_row_is_served_by_a_kernel() -> None:
    found = list_kernels([])
    assert set(found) <= set(KERNELS)
    assert sum(len(work) for work in found.values()) == len(ROWS) * len(SHAPES)


def test_rows_are_found_by_all_of_their_words() -> None:
    assert {work.split(":")[0] for works in list_kernels(["RGB", "area"]).values() for work in works} == {
        "RGB to NV12, area"
    }


@pytest.mark.parametrize("name", ["RGBA", "RGB", "NV12"])
@pytest.mark.parametrize("size_wh", [(1920, 1080), (854, 480), (1366, 768)])
def test_pictures_of_the_sweep_lie_in_memory_as_surfaces_do(name: str, size_wh: tuple[int, int]) -> None:
    assert Layout.of(VideoFormat[name], size_wh).picture == picture_like(VideoFormat[name], size_wh)


def test_rows_of_a_decoder_lie_apart_and_so_do_its_planes() -> None:
    layout = Layout.of(VideoFormat.NV12, (1920, 1080), 2048, 8)
    assert layout.planes == ((0, (1080, 1920), (2048, 1)), (2048 * 1088, (540, 960, 2), (2048, 2, 1)))
    assert layout.size == 2048 * (1088 + 548)


def test_the_best_and_the_worst_of_a_row_stand_beside_each_other() -> None:
    def cell(shape: str, us: float, start_us: float = 0.1) -> Cell:
        return Cell(shape, "RGBA", "NV12", "area", "words_quads_to_yuv420", us, 3.0, 0.8, 1.0, start_us)

    cells = [cell("middle", 2.0), cell("slow", 10.0), cell("quick", 1.25), cell("small", 4.0, start_us=2.0)]
    assert [found.shape for found in extremes(cells)] == ["quick", "slow"]
    best, worst = table(cells)[2:]
    assert best == "| RGBA → NV12, area | quick | `words_quads_to_yuv420` | 1.25 | 0.64 / 0.80 | 3.00 |  |"
    assert worst.startswith("|  | slow |")
    assert "0.20 / 0.25, start 0.50" in table([cells[3]])[2]
    assert [line.split()[0] for line in surprises(cells)] == ["0.10"]
