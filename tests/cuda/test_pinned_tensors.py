"""``picasso.to_tensor`` writes to memory that a GPU copies at full speed: torch's and CuPy's pinned buffers."""

from __future__ import annotations

import numpy as np
import pytest

import picasso as pc

pytestmark = pytest.mark.cuda
PICTURE = np.random.default_rng(3).integers(0, 256, (90, 160, 3), np.uint8)


def test_a_pinned_tensor_of_torch_is_written_to_and_goes_up_without_a_wait() -> None:
    torch = pytest.importorskip("torch")
    out = torch.empty((2, 3, 64, 64), dtype=torch.float16, pin_memory=True)
    batch, placements = pc.to_tensor([PICTURE, PICTURE], 64, pad=114, out=out)
    assert batch is out
    assert out.is_pinned()
    expected, places = pc.to_tensor([PICTURE, PICTURE], 64, pad=114, dtype="float16")
    assert placements == places
    np.testing.assert_array_equal(out.numpy(), expected)
    np.testing.assert_array_equal(out.to("cuda", non_blocking=True).cpu().numpy(), expected)
    assert pc.to_tensor(PICTURE, 64, dtype=torch.float16)[0].dtype == np.float16


def test_a_pinned_array_of_cupy_is_written_to() -> None:
    cupyx, cupy = pytest.importorskip("cupyx"), pytest.importorskip("cupy")
    out = cupyx.empty_pinned((1, 64, 64, 3), np.float32)
    batch, _ = pc.to_tensor(PICTURE, 64, layout="NHWC", out=out)
    assert batch is out
    expected, _ = pc.to_tensor(PICTURE, 64, layout="NHWC")
    np.testing.assert_array_equal(cupy.asarray(out).get(), expected)
