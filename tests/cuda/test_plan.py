"""Which kernel serves which frame: the quick ones where their conditions hold, and only there."""

from __future__ import annotations

from typing import Any

import pytest

from picasso_kernels.cuda.plan import plan_frame
from picasso_kernels.frame.pixel_formats import Picture, Plane

NV12 = (Plane(0, 64, 1, 1), Plane(0, 64, 2, 1))
I420 = (Plane(0, 64, 1, 1), Plane(0, 32, 1, 1), Plane(0, 32, 1, 1))
RGB = (Plane(0, 192, 3, 1),)
WHOLE = (0, 0, 64, 48)


def kernel(
    form: str, planes: tuple[Plane, ...], crop: Any = WHOLE, target_wh: Any = (48, 36), *, inner: Any = None, **how: str
) -> str:
    """Name the kernel that makes RGBA, or the format that ``to`` names."""
    to = how.get("to", "RGBA")
    pixel = {"RGBA": 4, "half": 2, "single": 4}.get(to, 1)
    plane = Plane(0, pixel * target_wh[0] if pixel > 1 else 64, pixel, 1)
    target = {"RGBA": (plane,), "half": (plane,) * 3, "single": (plane,) * 3}.get(to, (plane, Plane(0, 64, 2, 1)))
    arguments = (Picture(form, planes), Picture(to, target), crop, target_wh, inner or (0, 0, *target_wh))
    return plan_frame(*arguments, how.get("filter", "bilinear")).kernel


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (kernel("NV12", NV12, target_wh=(46, 36)), "nv12_bilinear_to_pixels"),
        (kernel("NV21", NV12, target_wh=(48, 36), inner=(2, 0, 46, 36)), "nv12_bilinear_to_pixels"),
        (kernel("I420", I420), "i420_bilinear_to_pixels"),
        (kernel("RGB", RGB), "rgb_fours_to_pixels"),
        (kernel("BGR", RGB), "rgb_fours_to_pixels"),
        (kernel("RGB", RGB, to="NV12"), "rgb_fours_to_yuv420"),
        (kernel("I420", I420, target_wh=(64, 48)), "i420_bilinear_to_pixels"),
        (kernel("RGB", RGB, target_wh=(96, 96)), "rgb_fours_to_pixels"),
        (kernel("NV12", NV12, target_wh=(34, 24)), "nv12_bilinear_to_pixels"),
        (kernel("RGB", RGB, target_wh=(34, 24)), "rgb_bilinear_to_pixels"),
        (kernel("NV12", NV12, (1, 1, 63, 47), (60, 60), inner=(1, 7, 57, 46)), "nv12_bilinear_to_pixels"),
        (kernel("NV12", NV12, target_wh=(30, 24)), "nv12_bilinear_to_pixels"),
        (kernel("RGB", RGB, target_wh=(30, 24)), "rgb_bilinear_to_pixels"),
        (kernel("NV12", (Plane(2, 64, 1, 1), NV12[1])), "nv12_bilinear_to_pixels"),
        (kernel("NV12", (Plane(3, 65, 1, 1), Plane(2, 66, 2, 1))), "nv12_bilinear_to_pixels"),
        (kernel("I420", (Plane(1, 65, 1, 1), Plane(3, 33, 1, 1), Plane(5, 33, 1, 1))), "i420_bilinear_to_pixels"),
        (kernel("NV12", NV12, target_wh=(20, 16), to="half"), "nv12_words_to_half_planes"),
        (kernel("NV21", NV12, target_wh=(20, 16), to="single", inner=(4, 3, 12, 9)), "nv12_words_to_single_planes"),
        (kernel("NV12", NV12, target_wh=(20, 16), to="half", inner=(2, 3, 12, 9)), "nv12_bilinear_to_half_planes"),
        (kernel("NV12", NV12, target_wh=(22, 16), to="single"), "nv12_bilinear_to_single_planes"),
    ],
)
def test_usual_layouts_are_blended_with_one_address_a_row(given: str, expected: str) -> None:
    assert given == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (kernel("NV12", NV12, target_wh=(24, 16), to="half"), "nv12_exact_to_half_planes"),
        (kernel("NV12", NV12, target_wh=(100, 64), to="single"), "nv12_exact_to_single_planes"),
        (kernel("NV21", NV12, target_wh=(24, 19), to="half", inner=(8, 2, 16, 16)), "nv12_exact_to_half_planes"),
        (kernel("NV12", NV12, (4, 0, 60, 48), (20, 32), to="half"), "nv12_middles_to_half_planes"),
        (
            kernel("NV21", NV12, (0, 0, 48, 48), (24, 19), to="single", inner=(4, 2, 16, 16)),
            "nv12_middles_to_single_planes",
        ),
        (kernel("NV12", NV12, (2, 0, 60, 48), (20, 32), to="half"), "nv12_exact_to_half_planes"),  # from half a word on
        (kernel("NV12", NV12, target_wh=(24, 36), to="half"), "nv12_words_to_half_planes"),  # thirds of rows
        (kernel("NV12", NV12, target_wh=(12, 16), to="half"), "nv12_words_to_half_planes"),  # five bytes a pixel
        (
            kernel("NV12", NV12, (1, 0, 60, 48), (20, 32), to="half"),
            "nv12_words_to_half_planes",
        ),  # chroma from an odd pair
        (kernel("NV12", (Plane(2, 64, 1, 1), NV12[1]), target_wh=(24, 16), to="half"), "nv12_words_to_half_planes"),
    ],
)
def test_rows_that_lose_nothing_are_blended_after_columns(given: str, expected: str) -> None:
    assert given == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (kernel("NV12", NV12, filter="nearest"), "yuv_nearest_to_pixels"),
        (kernel("I420", I420, filter="area"), "yuv_taps_to_pixels"),
        (kernel("NV12", NV12, (0, 0, 6, 48), (4, 36), filter="area"), "nv12_few_to_pixels"),  # less than three words
        (kernel("NV12", (Plane(2, 64, 1, 1), NV12[1]), filter="area"), "yuv_taps_to_pixels"),
        (kernel("I420", I420, filter="area", to="NV12"), "planes_taps_to_planes"),
        (kernel("RGB", RGB, (0, 0, 62, 48), filter="area"), "rgb_narrow_to_pixels"),
        (kernel("RGB", (Plane(1, 192, 3, 1),), filter="area"), "bytes_taps_to_pixels"),
        (kernel("RGB", RGB, filter="nearest"), "bytes_nearest_to_pixels"),
        (kernel("RGB", RGB, (2, 0, 60, 48), (60, 48)), "bytes_nearest_to_pixels"),  # a copy from the middle of a word
        (kernel("NV12", (Plane(0, 64, -1, 1), NV12[1])), "yuv_bilinear_to_pixels"),
        (kernel("NV12", (NV12[0], Plane(1, 64, 2, 1))), "yuv_bilinear_to_pixels"),
        (kernel("NV12", (NV12[0], Plane(0, 65, 2, 1))), "yuv_bilinear_to_pixels"),
        (kernel("NV12", (Plane(0, -64, 1, 1), NV12[1])), "yuv_bilinear_to_pixels"),  # rows from the bottom up
        (kernel("RGB", (Plane(0, -192, 3, 1),)), "bytes_bilinear_to_pixels"),
        (kernel("I420", (I420[0], I420[1], Plane(0, 64, 1, 1))), "yuv_bilinear_to_pixels"),
        (kernel("I420", I420, to="NV12"), "planes_bilinear_to_planes"),
        (kernel("UYVY", (Plane(0, 128, 2, 1),)), "yuv_bilinear_to_pixels"),
        (kernel("RGB", (Plane(0, 192, 3, -1),)), "bytes_bilinear_to_pixels"),
        (kernel("RGB", (Plane(1, 192, 3, 1),)), "bytes_bilinear_to_pixels"),
        (kernel("RGB", (Plane(0, 194, 3, 1),)), "bytes_bilinear_to_pixels"),
        (kernel("RGB", RGB, (3, 5, 1, 8), (8, 8)), "bytes_bilinear_to_pixels"),
        (kernel("NV12", NV12, (4, 4, 2, 8), (8, 8)), "yuv_bilinear_to_pixels"),  # one sample of chroma a row
        (kernel("GRAY8", (Plane(0, 64, 1, 1),)), "bytes_bilinear_to_pixels"),
    ],
)
def test_all_others_by_bytes(given: str, expected: str) -> None:
    assert given == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (kernel("NV12", NV12, target_wh=(64, 48)), "nv12_copied_to_pixels"),
        (kernel("NV21", NV12, (4, 3, 32, 21), (48, 30), inner=(8, 1, 32, 21)), "nv12_copied_to_pixels"),
        (kernel("NV21", NV12, (4, 3, 32, 21), (40, 30), inner=(4, 1, 32, 21)), "nv12_fours_to_pixels"),
        (kernel("NV12", NV12, (2, 0, 32, 20), (32, 20)), "nv12_fours_to_pixels"),
        (kernel("NV12", NV12, target_wh=(40, 32)), "nv12_fours_to_pixels"),
        (kernel("NV21", NV12, (4, 0, 60, 48), (40, 36)), "nv12_threes_to_pixels"),
        (kernel("NV12", NV12, (4, 0, 32, 20), (40, 20), inner=(2, 0, 32, 20)), "nv12_bilinear_to_pixels"),
        (kernel("RGB", RGB, target_wh=(64, 48), filter="area"), "rgb_copied_to_pixels"),
        (kernel("BGR", RGB, target_wh=(64, 48), to="NV12"), "rgb_copied_to_yuv420"),
        (kernel("NV12", NV12, target_wh=(52, 36), to="NV12"), "planes_near_to_planes"),
        (kernel("NV21", NV12, (0, 1, 64, 46), (64, 46), to="NV12"), "planes_near_to_planes"),  # between chroma's rows
        (kernel("NV21", NV12, (4, 0, 48, 48), (48, 48), to="NV12"), "planes_near_to_planes"),
        (kernel("NV12", (Plane(4, 64, 1, 1), NV12[1]), target_wh=(64, 48), to="NV12"), "planes_near_to_planes"),
        (kernel("NV12", NV12, target_wh=(48, 48), to="NV12", inner=(4, 6, 40, 30)), "planes_near_to_planes"),
        (kernel("NV12", NV12, target_wh=(36, 24), to="NV12"), "planes_near_to_planes"),
    ],
)
def test_four_pixels_beside_each_other_are_read_and_written_together(given: str, expected: str) -> None:
    assert given == expected


THREES = (4, 1, 48, 45)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (kernel("NV12", NV12, THREES, (32, 30)), "nv12_threes_to_pixels"),
        (kernel("NV21", NV12, THREES, (48, 21), inner=(8, 1, 32, 19)), "nv12_threes_to_pixels"),
        (kernel("NV21", NV12, THREES, (48, 60), inner=(8, 2, 32, 58), to="NV12"), "planes_threes_to_planes"),
        (kernel("RGB", RGB, THREES, (32, 30), to="NV12"), "rgb_threes_to_yuv420"),
        (kernel("BGR", RGB, THREES, (32, 30), to="NV12"), "rgb_threes_to_yuv420"),
        (kernel("RGB", RGB, THREES, (32, 30)), "rgb_fours_to_pixels"),
        (kernel("NV12", NV12, THREES, (40, 30), inner=(4, 0, 32, 30)), "nv12_fours_to_pixels"),
        (kernel("NV12", NV12, (4, 1, 42, 45), (28, 30)), "nv12_fours_to_pixels"),
        (kernel("NV12", NV12, (2, 1, 48, 45), (32, 30)), "nv12_fours_to_pixels"),  # from the middle of a word
        (kernel("NV12", NV12, THREES, (36, 30), to="NV12"), "planes_near_to_planes"),
        (kernel("NV12", NV12, THREES, (32, 30), filter="area"), "nv12_thirds_to_pixels"),
        (
            kernel("NV21", NV12, THREES, (48, 34), inner=(8, 2, 32, 30), filter="area", to="NV12"),
            "planes_thirds_to_planes",
        ),
        (
            kernel("NV21", NV12, THREES, (48, 34), inner=(8, 1, 32, 30), filter="area", to="NV12"),
            "planes_few_to_planes",
        ),
        (kernel("BGR", RGB, THREES, (32, 30), filter="area", to="NV12"), "rgb_thirds_to_yuv420"),
        (kernel("BGR", RGB, THREES, (32, 30), filter="area"), "rgb_narrow_to_pixels"),
        (kernel("NV12", NV12, THREES, (32, 32), filter="area"), "nv12_few_to_pixels"),
        (kernel("NV12", NV12, WHOLE, (64, 48), to="NV12"), "planes_copied_to_planes"),
        (kernel("NV21", NV12, (8, 2, 24, 40), (40, 40), inner=(16, 0, 24, 40), to="NV12"), "planes_copied_to_planes"),
        (kernel("NV12", NV12, WHOLE, (64, 48), to="NV12", filter="lanczos8"), "planes_copied_to_planes"),
        (kernel("NV12", NV12, WHOLE, (64, 48), to="NV12", filter="nearest"), "planes_copied_to_planes"),
    ],
)
def test_pictures_of_two_thirds_and_of_the_same_size_have_weights_that_are_known(given: str, expected: str) -> None:
    assert given == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (kernel("NV12", NV12, target_wh=(50, 36), to="NV12"), "planes_spots_to_planes"),
        (kernel("NV12", NV12, target_wh=(48, 36), to="NV12", inner=(2, 0, 44, 36)), "planes_spots_to_planes"),
        (kernel("NV12", NV12, target_wh=(48, 36), to="NV12", inner=(0, 1, 48, 34)), "planes_spots_to_planes"),
        (kernel("NV12", NV12, target_wh=(28, 24), to="NV12"), "planes_spots_to_planes"),
        (kernel("NV12", NV12, target_wh=(20, 16), to="NV12"), "planes_spots_to_planes"),
        (kernel("NV21", NV12, target_wh=(50, 36), to="NV12", inner=(3, 1, 41, 30)), "planes_spots_to_planes"),
        (kernel("NV12", NV12, (4, 4, 2, 8), (8, 8), to="NV12"), "planes_bilinear_to_planes"),  # one sample of chroma
    ],
)
def test_planes_are_made_of_planes_wherever_they_lie(given: str, expected: str) -> None:
    assert given == expected


RGBA = (Plane(0, 256, 4, 1),)
TWOS = (4, 1, 32, 45)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (kernel("NV12", NV12, TWOS, (48, 66)), "nv12_twos_to_pixels"),
        (kernel("NV21", NV12, TWOS, (60, 66), inner=(12, 1, 48, 65)), "nv12_twos_to_pixels"),
        (kernel("NV21", NV12, TWOS, (60, 66), inner=(12, 2, 48, 64), to="NV12"), "planes_twos_to_planes"),
        (kernel("BGR", RGB, TWOS, (48, 66), to="NV12"), "rgb_twos_to_yuv420"),
        (kernel("BGRx", RGBA, TWOS, (48, 66), to="NV12"), "words_twos_to_yuv420"),
        (kernel("RGBA", RGBA, TWOS, (48, 66)), "words_twos_to_pixels"),
        (kernel("RGB", RGB, TWOS, (48, 66)), "rgb_fours_to_pixels"),
        (kernel("RGBA", (Plane(4, 256, 4, 1),), TWOS, (48, 66)), "words_bilinear_to_pixels"),
        (kernel("RGBA", RGBA, (2, 1, 32, 45), (48, 66)), "words_bilinear_to_pixels"),
        (kernel("NV12", NV12, TWOS, (52, 66), inner=(4, 0, 48, 66)), "nv12_fours_to_pixels"),
        (kernel("NV12", NV12, TWOS, (44, 66)), "nv12_fours_to_pixels"),
        (kernel("RGBA", RGBA, TWOS, (48, 66), filter="nearest"), "words_nearest_to_pixels"),
    ],
)
def test_pictures_enlarged_by_half_have_weights_that_are_known(given: str, expected: str) -> None:
    assert given == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (kernel("RGBA", RGBA, target_wh=(32, 24), filter="area"), "words_averaged_to_pixels"),
        (
            kernel("BGRx", RGBA, (4, 3, 40, 30), (24, 20), inner=(2, 1, 20, 15), filter="area"),
            "words_averaged_to_pixels",
        ),
        (kernel("RGBA", RGBA, target_wh=(32, 48), filter="area"), "words_narrow_to_pixels"),
        (kernel("RGBA", RGBA, (2, 0, 40, 40), (20, 20), filter="area"), "words_narrow_to_pixels"),
        (kernel("RGBA", (Plane(4, 256, 4, 1),), target_wh=(32, 24), filter="area"), "words_narrow_to_pixels"),
        (kernel("RGBA", RGBA, target_wh=(32, 24), filter="lanczos8"), "words_quads_to_pixels"),
        (kernel("RGB", RGB, target_wh=(32, 24), filter="area"), "rgb_averaged_to_pixels"),
        (kernel("BGR", RGB, (2, 0, 40, 40), (20, 20), filter="area"), "rgb_narrow_to_pixels"),
        (kernel("NV12", NV12, target_wh=(32, 24), filter="area"), "nv12_averaged_to_pixels"),
        (kernel("NV12", NV12, target_wh=(32, 24)), "nv12_averaged_to_pixels"),
        (kernel("NV12", NV12, target_wh=(32, 24), to="NV12"), "planes_averaged_to_planes"),
        (kernel("RGB", RGB, target_wh=(32, 24)), "rgb_averaged_to_pixels"),
        (kernel("RGBA", RGBA, target_wh=(32, 24)), "words_halved_to_pixels"),
        (
            kernel("NV12", NV12, (4, 2, 40, 30), (24, 20), inner=(2, 1, 20, 15), filter="area"),
            "nv12_averaged_to_pixels",
        ),
        (kernel("NV12", NV12, (4, 3, 40, 30), (24, 20), inner=(2, 1, 20, 15), filter="area"), "nv12_narrow_to_pixels"),
        (kernel("NV21", NV12, target_wh=(32, 24), filter="area", to="NV12"), "planes_averaged_to_planes"),
        (kernel("NV12", NV12, (0, 0, 56, 48), (28, 24), filter="area", to="NV12"), "planes_narrow_to_planes"),
        (
            kernel("NV12", (Plane(8, 64, 1, 1), NV12[1]), target_wh=(32, 24), filter="area", to="NV12"),
            "planes_narrow_to_planes",
        ),
    ],
)
def test_pictures_shrunk_to_the_half_are_means(given: str, expected: str) -> None:
    assert given == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (kernel("RGBA", RGBA, filter="area"), "words_narrow_to_pixels"),
        (kernel("RGB", RGB, filter="area"), "rgb_narrow_to_pixels"),
        (kernel("NV12", NV12, filter="area"), "nv12_narrow_to_pixels"),
        (kernel("NV12", NV12, target_wh=(64, 36), filter="area"), "nv12_narrow_to_pixels"),
        (kernel("NV12", NV12, target_wh=(96, 72), filter="area"), "nv12_narrow_to_pixels"),
        (kernel("NV12", NV12, (0, 0, 62, 48), filter="area"), "nv12_narrow_to_pixels"),  # half a word at the edge
        (kernel("NV12", NV12, (1, 3, 61, 43), filter="area"), "nv12_few_to_pixels"),
        (kernel("RGBA", RGBA, (1, 3, 61, 43), filter="area"), "words_eights_to_pixels"),
        (kernel("NV21", NV12, filter="lanczos8"), "nv12_eights_to_pixels"),
        (kernel("NV21", NV12, filter="area", to="NV12"), "planes_narrow_to_planes"),
        (kernel("RGBA", RGBA, (0, 0, 48, 48), (24, 16), filter="area"), "words_eights_to_pixels"),  # three rows
        (kernel("RGBA", RGBA, (0, 0, 48, 48), (16, 16), filter="area"), "words_eights_to_pixels"),
        (kernel("RGB", RGB, (0, 0, 48, 48), (16, 16), to="NV12", filter="area"), "rgb_eights_to_yuv420"),
        (kernel("NV12", NV12, (0, 0, 48, 48), (16, 16), filter="area"), "nv12_few_to_pixels"),
        (kernel("NV12", NV12, (0, 0, 48, 48), (16, 16), to="NV12", filter="area"), "planes_few_to_planes"),
        (kernel("RGBA", RGBA, (0, 0, 48, 48), (8, 8), filter="area"), "words_quads_to_pixels"),
        (kernel("RGB", RGB, (0, 0, 48, 48), (8, 8), to="NV12", filter="area"), "rgb_quads_to_yuv420"),
        (kernel("NV12", NV12, (0, 0, 48, 48), (8, 8), filter="area"), "nv12_quads_to_pixels"),
        (kernel("NV12", NV12, (0, 0, 48, 48), (8, 8), to="NV12", filter="area"), "planes_quads_to_planes"),
        (kernel("RGB", RGB, (0, 0, 46, 48), (8, 8), filter="area"), "bytes_taps_to_pixels"),  # a word behind the row
        (kernel("NV12", NV12, (0, 0, 6, 48), (2, 8), filter="area"), "nv12_eights_to_pixels"),
        (kernel("NV12", NV12, (0, 0, 4, 48), (2, 8), filter="area"), "yuv_taps_to_pixels"),  # one word
    ],
)
def test_taps_of_neighbours_are_summed_by_the_reader_with_the_fewest_words(given: str, expected: str) -> None:
    assert given == expected
