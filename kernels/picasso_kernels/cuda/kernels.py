"""The catalogue: every CUDA kernel by its name, each a writer with the reader that feeds it.

``words`` are sources of 4 aligned bytes a pixel, ``bytes`` packed sources of any step, order and alignment, ``yuv``
planes of luma and chroma. ``rgb``, ``nv12`` and ``i420`` are the usual layouts of the latter two, and serve BGR and
NV21 as well. ``fours`` and ``near`` are four neighbours that lie near each other, ``exact`` ones too, where blending
rows loses nothing, and ``middles``, where each three columns become one; ``words`` of NV12 are four that lie anywhere.
``quads`` and ``eights`` are filters of many taps whose neighbours share what they read, twelve or eight columns a turn;
``narrow`` and ``few`` ones have two or four rows, and no turns. ``averaged`` is an area filter that halves. ``threes``
are pictures shrunk to two thirds across, three samples to two; ``thirds`` are those of an area filter; ``twos`` those
enlarged by half. Kernels of ``pixels.wide``, whose threads do 4x2 pixels instead of 2x2, are ``copied`` ones of pixels
of 3 bytes, ``fours`` and ``near``; ``threes``, ``thirds``, the other ``copied`` ones and the averaged one from plane to
plane do 8x2, ``twos`` 12x2. A frame that a special kernel serves is served by the general one too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from picasso_kernels.cuda.pixels import (
    copied,
    eights,
    plane_spots,
    read,
    read_fours,
    thirds,
    threes,
    threes_rgb,
    twos,
    twos_rgb,
    wide,
    write,
)
from picasso_kernels.cuda.pixels import read_exact as exact
from picasso_kernels.cuda.pixels import read_few as few
from picasso_kernels.cuda.pixels import read_means as means
from picasso_kernels.cuda.pixels import read_middles as middles
from picasso_kernels.cuda.pixels import read_narrow as narrow
from picasso_kernels.cuda.pixels import read_quads as quads
from picasso_kernels.cuda.pixels import read_spots as spots
from picasso_kernels.cuda.pixels import read_sums as sums
from picasso_kernels.cuda.pixels import write_tensors as tensors

Plain = Callable[..., Any]

_WORDS: Final[dict[Plain, Plain]] = {read.pixel_word: read.word_of_four}
_EIGHTS: Final[dict[Plain, Plain]] = {sums.turn_words: sums.two_words}
_READERS: Final[dict[str, dict[Plain, Plain]]] = {
    "words_copied": {**_WORDS, write.pixels: read.copied_pixels},
    "words_halved": {**_WORDS, write.pixels: read.halved_pixels},
    "words_averaged": {**_WORDS, write.pixels: read.averaged_pixels},
    "words_nearest": {**_WORDS, write.pixels: read.nearest_pixels},
    "words_bilinear": {**_WORDS, write.pixels: read.bilinear_pixels},
    "words_quads": {write.pixels: quads.summed_quads, quads.quad_at: quads.quad_of_words},
    "words_eights": {**_EIGHTS, write.pixels: quads.summed_quads, quads.quad_at: quads.quad_of_words},
    "words_narrow": {write.pixels: narrow.narrow_pixels, narrow.any_quad: narrow.any_words},
    "words_taps": {**_WORDS, write.pixels: read.summed_pixels},
    "bytes_nearest": {write.pixels: read.nearest_pixels},
    "bytes_bilinear": {write.pixels: read.bilinear_pixels},
    "bytes_taps": {write.pixels: read.summed_pixels},
    "rgb_bilinear": {write.pixels: spots.rgb_spots},
    "rgb_averaged": {write.pixels: means.averaged_rgb_pixels},
    "rgb_quads": {write.pixels: quads.summed_quads, quads.quad_at: quads.quad_of_rgb},
    "rgb_eights": {**_EIGHTS, write.pixels: quads.summed_quads, quads.quad_at: quads.quad_of_rgb},
    "nv12_bilinear": {write.pixels: spots.yuv_spots, spots.chroma_spot: spots.paired_spot},
    "i420_bilinear": {write.pixels: spots.yuv_spots, spots.chroma_spot: spots.planar_spot},
    "nv12_averaged": {write.pixels: means.averaged_yuv_pixels},
    "nv12_quads": {write.pixels: sums.summed_yuv_pixels},
    "rgb_narrow": {write.pixels: narrow.narrow_pixels, narrow.any_quad: narrow.any_rgb},
    "nv12_narrow": {write.pixels: narrow.narrow_yuv_pixels},
    "nv12_few": {write.pixels: few.few_yuv_pixels},
    "nv12_eights": {**_EIGHTS, write.pixels: sums.summed_yuv_pixels},
    "yuv_nearest": {write.pixels: read.yuv_pixels, read.sample: read.nearest_sample},
    "yuv_bilinear": {write.pixels: read.yuv_pixels, read.sample: read.blend_sample},
    "yuv_taps": {write.pixels: read.yuv_pixels, read.sample: read.sum_sample},
}
_WRITERS: Final[dict[str, Plain]] = {
    "pixels": write.write_pixels,
    "yuv420": write.write_yuv420,
    "half_planes": write.write_half_planes,
    "single_planes": write.write_single_planes,
}
_BY_ROWS: Final[dict[str, Plain]] = {"pixels": write.write_pixels_by_rows, "yuv420": write.write_yuv420_by_rows}
"""Those of readers of many taps: less is held in registers."""
_PLANES: Final[dict[str, dict[Plain, Plain]]] = {
    "planes_nearest": {read.sample: read.nearest_sample},
    "planes_bilinear": {read.sample: read.blend_sample},
    "planes_taps": {read.sample: read.sum_sample},
}

_THIRDS: Final[dict[Plain, Plain]] = {
    threes.rows_of: thirds.rows_of_thirds,
    threes_rgb.rows_or_none: thirds.rows_or_none,
    threes.wide_bytes: thirds.bytes_of_thirds,
    threes.two_of_three: thirds.two_of_thirds,
}
_FOUR_WORDS: Final = {"words": spots.yuv_words, "exact": exact.exact_words, "middles": middles.middle_words}
_WIDE: Final[dict[str, tuple[Plain, dict[Plain, Plain]]]] = {
    "rgb_copied_to_pixels": (wide.write_four_pixels, {wide.four_pixels: wide.copied_rgb_four}),
    "rgb_copied_to_yuv420": (wide.write_four_yuv420, {wide.four_pixels: wide.copied_rgb_four}),
    "rgb_fours_to_pixels": (wide.write_four_pixels, {wide.four_pixels: spots.rgb_four_in_order}),
    "rgb_fours_to_yuv420": (wide.write_four_yuv420, {wide.four_pixels: spots.rgb_four_spots}),
    "nv12_copied_to_pixels": (eights.write_eight_pixels, {eights.eight_pixels: copied.copied_eight}),
    "planes_copied_to_planes": (copied.write_copied_planes, {}),
    "nv12_fours_to_pixels": (wide.write_four_words, {}),
    "rgb_threes_to_yuv420": (threes_rgb.write_threes_yuv420, {}),
    "nv12_threes_to_pixels": (eights.write_eight_pixels, {eights.eight_pixels: threes.three_halves}),
    "rgb_twos_to_yuv420": (twos_rgb.write_twelve_yuv420, {twos_rgb.wide_ten: twos_rgb.ten_of_rgb}),
    "words_twos_to_yuv420": (twos_rgb.write_twelve_yuv420, {twos_rgb.wide_ten: twos_rgb.ten_words}),
    "words_twos_to_pixels": (twos_rgb.write_twelve_words, {twos_rgb.wide_ten: twos_rgb.ten_words}),
    "nv12_twos_to_pixels": (twos.write_twelve_pixels, {}),
    "planes_twos_to_planes": (twos.write_twelve_planes, {}),
    "planes_threes_to_planes": (threes.write_three_halves_planes, {}),
    "rgb_thirds_to_yuv420": (threes_rgb.write_threes_yuv420, _THIRDS),
    "nv12_thirds_to_pixels": (eights.write_eight_pixels, {**_THIRDS, eights.eight_pixels: threes.three_halves}),
    "planes_thirds_to_planes": (
        threes.write_three_halves_planes,
        {**_THIRDS, read_fours.wide_pairs: thirds.pairs_of_thirds},
    ),
    "nv12_fours_to_yuv420": (wide.write_four_yuv420, {wide.four_pixels: wide.near_yuv_four}),
    **{
        f"nv12_{name}_to_{form}_planes": (
            tensors.write_tensor,
            {tensors.four_words: reader, tensors.store_fours: store},
        )
        for name, reader in (
            ("words", spots.yuv_words),
            ("exact", exact.exact_words),
            ("middles", middles.middle_words),
        )
        for form, store in (("half", tensors.store_halves), ("single", tensors.store_singles))
    },
    "planes_near_to_planes": (wide.write_near_planes, {}),
    "planes_spots_to_planes": (plane_spots.write_spot_planes, {}),
    "planes_averaged_to_planes": (means.write_averaged_planes, {}),
    "planes_quads_to_planes": (sums.write_summed_planes, {}),
    "planes_narrow_to_planes": (narrow.write_narrow_planes, {}),
    "planes_few_to_planes": (few.write_few_planes, {}),
    "planes_eights_to_planes": (sums.write_summed_planes, _EIGHTS),
}
"""Those that write by a way of their own."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """What to compile."""

    name: str
    write: Plain
    """What a thread does: ``(frame, column, row)``."""
    parts: Mapping[Plain, Plain]
    """Which function takes the place of which in it."""
    blocks: int = 0
    """Blocks that a multiprocessor has to have room for, where saying so makes the kernel faster."""


_ROOM: Final = {"words_quads": 5}
"""8.8 to 8.2 and 8.9 to 8.4 µs a frame: more registers, and so more loads before the first use."""
_WIDE_ROOM: Final = {
    "planes_near_to_planes": 16,
    "nv12_fours_to_pixels": 8,
    "nv12_exact_to_half_planes": 8,
    "nv12_middles_to_half_planes": 10,
    "nv12_middles_to_single_planes": 10,
}
"""1.73 to 1.61 and 2.94 to 2.82 µs a frame: more warps, each with fewer registers. Others are told
of enough registers to load all that a thread reads before its first use: 1.76 to 1.66 and 1.58 to 1.55 µs."""


def _catalogue() -> dict[str, Kernel]:
    kernels = [
        Kernel(f"{source}_to_{target}", writer, parts, _ROOM.get(source, 0))
        for source, parts in _READERS.items()
        for target, writer in (
            _WRITERS | _BY_ROWS if source.endswith(("_quads", "_eights", "_few")) else _WRITERS
        ).items()
    ]
    kernels += [Kernel(f"{name}_to_planes", write.write_planes, parts) for name, parts in _PLANES.items()]
    kernels += [Kernel(name, *made, _WIDE_ROOM.get(name, 0)) for name, made in _WIDE.items()]
    return {kernel.name: kernel for kernel in kernels}


KERNELS: Final = _catalogue()
"""Every kernel that transforms frames, by its name."""
