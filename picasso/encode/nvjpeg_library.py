"""nvJPEG: the functions of ``nvjpeg.h`` that make a JFIF file of planes in GPU memory, and read one into them."""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final, NamedTuple

from picasso.errors import EncoderError, MissingDependencyError, PicassoError, require
from picasso_kernels.cuda.libcuda import is_over

_CSS_420: Final = 2
OUT: Final = object()
"""Stands for the address of a new handle among the arguments of the function that makes it."""
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


class Handles:
    """What nvJPEG made for one object. It goes back once, the latest first: by ``close``, or with this object.

    An object that holds one may be dropped on any thread, also with the thread that held it.
    """

    def __init__(
        self,
        library: Any,
        error: type[PicassoError],
        at_rest: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        """Begin with none.

        Args:
            library: What ``load_nvjpeg`` returned.
            error: What a refusal raises.
            at_rest: Gives the place from which handles go back: where they are current, and their work is done.
        """
        self._library = library
        self._error = error
        self._held: list[tuple[str, ctypes.c_void_p]] = []
        self._end = weakref.finalize(self, _give_back, library, self._held, at_rest)
        self._end.atexit = False  # the driver takes all back by itself

    @property
    def is_open(self) -> bool:
        """Whether they have not gone back."""
        return self._end.alive

    def make(self, kind: str, *arguments: Any) -> ctypes.c_void_p:
        """Make a handle by ``nvjpeg…Create``, which is given back by ``nvjpeg…Destroy``; ``OUT`` stands for it."""
        made = _POINTER()
        given = [ctypes.byref(made) if argument is OUT else argument for argument in arguments]
        self.call(f"nvjpeg{kind}Create" if kind else "nvjpegCreateSimple", *given)
        self._held.append((f"nvjpeg{kind}Destroy", made))
        return made

    def call(self, name: str, *arguments: Any) -> None:
        """Call a function of the library; a status that is not success is an error."""
        if failed := failure(getattr(self._library, name)(*arguments)):
            raise self._error(f"{name}: {failed}")

    def close(self) -> None:
        """Give everything back; harmless when repeated."""
        self._end()


def _give_back(
    library: Any,
    held: list[tuple[str, ctypes.c_void_p]],
    at_rest: Callable[[], AbstractContextManager[None]],
    over: Callable[[], bool] = is_over,
) -> None:
    """Give handles back, the latest first; in a fork they are the parent's, and nothing is called."""
    if over():
        return
    with at_rest():
        while held:
            name, handle = held.pop()
            getattr(library, name)(handle)


class NvJpeg:
    """One encoder of nvJPEG, on one stream of the current device. For one thread."""

    def __init__(
        self, library: Any, stream: int, at_rest: Callable[[], AbstractContextManager[None]] = nullcontext
    ) -> None:
        """Open it.

        Args:
            library: What ``load_nvjpeg`` returned.
            stream: The stream that its work goes to.
            at_rest: See ``Handles``.

        Raises:
            EncoderError: nvJPEG refuses.
        """
        self._stream = stream
        self._handles = Handles(library, EncoderError, at_rest)
        self._call = self._handles.call
        try:
            self._handle = self._handles.make("", OUT)
            self._state = self._handles.make("EncoderState", self._handle, OUT, stream)
            self._params = self._handles.make("EncoderParams", self._handle, OUT, stream)
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
        self._handles.close()


def failure(status: int) -> str:
    """Return the name of a ``nvjpegStatus_t``, or nothing for success."""
    if not status:
        return ""
    return f"NVJPEG_STATUS_{_STATUS[status] if 0 <= status < len(_STATUS) else status}"
