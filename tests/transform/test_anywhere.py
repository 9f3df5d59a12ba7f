"""Which side works where source and target are apart; without a GPU, that it is asked for."""

from __future__ import annotations

import pytest

from picasso.errors import DeviceError, MissingDependencyError
from picasso.surface import DevicePlane, SurfaceView, VideoFormat
from picasso.transform import TransformConfig


def nowhere() -> SurfaceView:
    """Return a surface on a GPU that no machine has."""
    plane = DevicePlane(0x7F0000000000, (8, 8, 4), (32, 4, 1), read_only=False, stream=None, owner=None)
    return SurfaceView((plane,), VideoFormat.RGBA, (8, 8), None, gpu_id=99)


@pytest.mark.parametrize("source_there", [False, True])
def test_a_target_on_a_gpu_is_made_there(source_there: bool) -> None:
    source = nowhere() if source_there else SurfaceView.allocate(VideoFormat.RGBA, (8, 8))
    with pytest.raises((MissingDependencyError, DeviceError), match=r"cuda13|NVIDIA's driver|GPU 99 cannot be used"):
        TransformConfig().apply(source, nowhere())


def test_a_source_on_a_gpu_is_downloaded_for_the_host() -> None:
    with pytest.raises((MissingDependencyError, DeviceError), match=r"cuda13|NVIDIA's driver|GPU 99 cannot be used"):
        TransformConfig().apply(nowhere(), SurfaceView.allocate(VideoFormat.RGBA, (8, 8)))
