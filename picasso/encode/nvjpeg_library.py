"""nvJPEG: the functions of ``nvjpeg.h`` that make a JFIF file of planes in GPU memory, and read one into them."""

from __future__ import annotations

import ctypes
from typing import Any, Final, NamedTuple

from picasso.errors import EncoderError, MissingDependencyError, require

_CSS_420: Final = 2
_STATUS: Final = (
    "SUCCESS",
    "NOT_INITIALIZED",
    "INVALID_PARAMETER",
    "BAD_JPEG",
    "JPEG_NOT_SUPPORTED",
    "ALLOCATOR_FAILURE",
    "EXECUTION_FAILED",
    "ARCH_MISMATCH",
    "INTERNAL_ERROR",
    "IMPLEMENTATION_NOT_SUPPORTED",
    "INCOMPLETE_BITSTREAM",
)


class DeviceRows(NamedTuple):
    """A plane in GPU memory."""

    address: int
    pitch: int
    """Bytes from a row to the next."""


class JpegImage(ctypes.Structure):
    """``nvjpegImage_t``."""

    _fields_ = (("channel", ctypes.c_void_p * 4), ("pitch", ctypes.c_size_t * 4))


_POINTER, _OUT, _INT = ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p), ctypes.c_int
SIGNATURES: Final[dict[str, list[Any]]] = {
    "nvjpegCreateSimple": [_OUT],
    "nvjpegDestroy": [_POINTER],
    "nvjpegEncoderStateCreate": [_POINTER, _OUT, _POINTER],
    "nvjpegEncoderStateDestroy": [_POINTER],
    "nvjpegEncoderParamsCreate": [_POINTER, _OUT, _POINTER],
    "nvjpegEncoderParamsDestroy": [_POINTER],
    "nvjpegEncoderParamsSetQuality": [_POINTER, _INT, _POINTER],
    "nvjpegEncoderParamsSetSamplingFactors": [_POINTER, _INT, _POINTER],
    "nvjpegEncodeYUV": [_POINTER, _POINTER, _POINTER, ctypes.POINTER(JpegImage), _INT, _INT, _INT, _POINTER],
    "nvjpegEncodeRetrieveBitstream": [_POINTER, _POINTER, _POINTER, ctypes.POINTER(ctypes.c_size_t), _POINTER],
}
"""Parameters by function of what encodes; each returns ``nvjpegStatus_t``."""
DECODER_SIGNATURES: Final[dict[str, list[Any]]] = {
    "nvjpegJpegStateCreate": [_POINTER, _OUT],
    "nvjpegJpegStateDestroy": [_POINTER],
    "nvjpegGetImageInfo": [_POINTER, ctypes.c_char_p, ctypes.c_size_t, *[ctypes.POINTER(_INT)] * 4],
    "nvjpegDecode": [
        _POINTER,
        _POINTER,
        ctypes.c_char_p,
        ctypes.c_size_t,
        _INT,
        ctypes.POINTER(JpegImage),
        _POINTER,
    ],
}
"""The same of what decodes."""


def load_nvjpeg() -> Any:
    """Load nvJPEG of the wheel or of the toolkit, its functions typed.

    Raises:
        MissingDependencyError: It is not there, or too old.
    """
    pathfinder = require("cuda.pathfinder", extra="cuda13")
    try:
        loaded = pathfinder.load_nvidia_dynamic_lib("nvjpeg")
        library = ctypes.CDLL(loaded.abs_path)
        for name, arguments in (SIGNATURES | DECODER_SIGNATURES).items():
            getattr(library, name).argtypes = arguments
    except (RuntimeError, OSError, AttributeError) as error:
        reason = str(error).split(":")[0][:120]
        raise MissingDependencyError(
            f"nvJPEG cannot be loaded ({reason}); pip install 'picasso-engine[cuda13]'"
        ) from error
    return library


class NvJpeg:
    """One encoder of nvJPEG, on one stream of the current device. For one thread."""

    def __init__(self, library: Any, stream: int) -> None:
        """Open it.

        Args:
            library: What ``load_nvjpeg`` returned.
            stream: The stream that its work goes to.

        Raises:
            EncoderError: nvJPEG refuses.
        """
        self._library = library
        self._stream = stream
        self._handle, self._state, self._params = _POINTER(), _POINTER(), _POINTER()
        self._call("nvjpegCreateSimple", ctypes.byref(self._handle))
        try:
            self._call("nvjpegEncoderStateCreate", self._handle, ctypes.byref(self._state), stream)
            self._call("nvjpegEncoderParamsCreate", self._handle, ctypes.byref(self._params), stream)
            self._call("nvjpegEncoderParamsSetSamplingFactors", self._params, _CSS_420, stream)
        except EncoderError:
            self.close()
            raise

    def set_quality(self, quality: int) -> None:
        """Choose the quality, 1..100."""
        self._call("nvjpegEncoderParamsSetQuality", self._params, quality, self._stream)

    def encode(self, planes: tuple[DeviceRows, ...], size_wh: tuple[int, int]) -> bytes:
        """Make a file of Y, U and V in 4:2:0, and wait for it."""
        image = JpegImage()
        for index, plane in enumerate(planes):
            image.channel[index], image.pitch[index] = plane.address, plane.pitch
        coder = (self._handle, self._state)
        self._call("nvjpegEncodeYUV", *coder, self._params, ctypes.byref(image), _CSS_420, *size_wh, self._stream)
        length = ctypes.c_size_t()
        self._call("nvjpegEncodeRetrieveBitstream", *coder, None, ctypes.byref(length), self._stream)
        data = bytearray(length.value)
        view = (ctypes.c_uint8 * len(data)).from_buffer(data)
        self._call("nvjpegEncodeRetrieveBitstream", *coder, view, ctypes.byref(length), self._stream)
        return bytes(data[: length.value])

    def close(self) -> None:
        """Give everything back; harmless when repeated."""
        for name in ("params", "state", "handle"):
            held = getattr(self, f"_{name}")
            if held:
                kind = "" if name == "handle" else f"Encoder{name.capitalize()}"
                getattr(self._library, f"nvjpeg{kind}Destroy")(held)
                setattr(self, f"_{name}", _POINTER())

    def _call(self, name: str, *arguments: Any) -> None:
        if failed := failure(getattr(self._library, name)(*arguments)):
            raise EncoderError(f"{name}: {failed}")


def failure(status: int) -> str:
    """Return the name of a ``nvjpegStatus_t``, or nothing for success."""
    if not status:
        return ""
    return f"NVJPEG_STATUS_{_STATUS[status] if 0 <= status < len(_STATUS) else status}"
