"""What the encoders have in common that turn each frame into bytes of its own: JPEG, PNG, raw."""

from __future__ import annotations

from abc import ABC, abstractmethod

from picasso.encode.config import EncoderConfig
from picasso.encode.encoder import EncodedUnit
from picasso.encode.input_check import InputCheck
from picasso.surface.formats import ColorSpace, VideoFormat
from picasso.surface.view import SurfaceView


class StillEncoder(ABC):
    """An encoder whose frames all stand alone: every one is a keyframe, and none is held back."""

    extradata = b""

    def __init__(self, name: str, config: EncoderConfig, input_format: VideoFormat, color: ColorSpace) -> None:
        self.name = name
        self.input_format = input_format
        self.color = color
        self._config = config.copy()
        self._input = InputCheck(name, input_format, (config.width, config.height), color)

    def encode(
        self, surface: SurfaceView, pts_ns: int, duration_ns: int | None, *, force_keyframe: bool = False
    ) -> list[EncodedUnit]:
        """Encode one frame; see ``Encoder.encode``."""
        del force_keyframe  # every frame is one
        self._input.admit(surface, pts_ns)
        return [EncodedUnit(self._compress(surface), pts_ns, pts_ns, duration_ns, keyframe=True)]

    def flush(self) -> list[EncodedUnit]:
        """End the stream; nothing is held."""
        self._input.close()
        return []

    def close(self) -> None:
        """Take no more frames."""
        self._input.close()

    def reconfigure(self, config: EncoderConfig) -> bool:
        """Take any configuration of the same codec and size, from the next frame on."""
        self._input.check_open()
        old = self._config
        if (config.codec, config.width, config.height) != (old.codec, old.width, old.height):
            return False
        self._config = config.copy()
        self._apply(config)
        return True

    @abstractmethod
    def _compress(self, surface: SurfaceView) -> bytes:
        """Make the bytes of one frame."""

    @abstractmethod
    def _apply(self, config: EncoderConfig) -> None:
        """Read the properties."""
