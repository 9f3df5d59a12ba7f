"""A double of ``PyNvVideoCodec``, as far as ``picasso.encode.nvenc`` uses it: a machine without NVENC can test with it.

Names, parameters and their order are those of the library, version 2.2; libx264, libx265 and libsvtav1 do the work.
"GPU memory" is host memory here, and ``HostGpu`` is the GPU.
"""

from __future__ import annotations

import ctypes
from collections import deque
from contextlib import AbstractContextManager, nullcontext
from enum import Enum
from typing import Any, ClassVar, Final, Protocol

import numpy as np
import numpy.typing as npt

from picasso.encode import (
    Av1DgpuProps,
    Codec,
    Encoder,
    EncoderConfig,
    EncoderProperties,
    H264DgpuProps,
    HevcDgpuProps,
    RateControl,
    open_encoder,
)
from picasso.surface import SurfaceView, VideoFormat
from picasso.surface.cuda import DevicePlane

OPTIONS: Final = frozenset(
    {
        *("codec", "preset", "tuning_info", "fps", "gop", "idrperiod", "bf", "repeatspspps", "use_ivf_container"),
        *("rc", "bitrate", "maxbitrate", "vbvbufsize", "vbvinit", "cq", "constqp", "initqp", "qmin", "qmax"),
        *("aq", "temporalaq", "gpu_id", "cudacontext", "cudastream"),
    }
)
"""Options of ``CreateEncoder`` that the library knows and ``picasso`` may use; it ignores others in silence."""
_PROPS: Final = {"h264": H264DgpuProps, "hevc": HevcDgpuProps, "av1": Av1DgpuProps}
_MODES: Final = {
    "vbr": RateControl.VARIABLE_BITRATE,
    "cbr": RateControl.CONSTANT_BITRATE,
    "constqp": RateControl.CONSTANT_QP,
}
_IDR, _P = 3, 0  # NV_ENC_PIC_TYPE


class PyNvVCException(Exception):  # the library's name
    """What the library raises."""


class NV_ENC_PIC_FLAGS(Enum):  # noqa: N801  # the library's name
    """What to do with one frame."""

    FORCEINTRA = 1
    FORCEIDR = 2
    OUTPUT_SPSPPS = 4
    EOS = 8


class NV_ENC_PARAMS_RC_MODE(Enum):  # noqa: N801  # the library's name
    """Rate control."""

    CONSTQP = 0
    VBR = 1
    CBR = 2


class NV_ENC_PIC_PARAMS:  # noqa: N801  # the library's name
    """What goes with one frame."""

    def __init__(self) -> None:
        self.encodePicFlags = 0
        self.inputTimeStamp = 0
        self.frameIdx = 0
        self.inputDuration = 0


class structEncodeReconfigureParams:  # noqa: N801  # the library's name
    """What can change while a session runs."""

    def __init__(self) -> None:
        self.rateControlMode = NV_ENC_PARAMS_RC_MODE.CBR
        self.averageBitrate = 0
        self.maxBitRate = 0
        self.vbvBufferSize = 0
        self.vbvInitialDelay = 0
        self.targetQuality = 0
        self.frameRateNum = 0
        self.frameRateDen = 1


class HasCuda(Protocol):
    """A frame: its planes in GPU memory."""

    def cuda(self) -> list[Any]:
        """Return the planes, each with ``__cuda_array_interface__``."""


class PyNvEncoder:
    """A session; ``delay`` frames are held back, as a driver may do."""

    delay: ClassVar[int] = 0
    applied: structEncodeReconfigureParams
    """What ``Reconfigure`` was given last; a bit rate that rises is only written down."""

    def __init__(self, arg0: int, arg1: int, arg2: str, arg3: int, arg4: int, arg5: bool, arg6: dict[str, str]) -> None:
        del arg3, arg4  # context and stream, which host memory has not
        if arg2 != "NV12" or arg5:
            raise PyNvVCException(f"the double reads NV12 in GPU memory, not {arg2} in host memory {arg5}")
        if unknown := {*arg6} - OPTIONS:
            raise PyNvVCException(f"the library has no options {sorted(unknown)}")
        if not all(isinstance(text, str) for text in arg6.values()):
            raise TypeError("the library takes options as text")
        self.options = arg6
        self._size_wh = (arg0, arg1)
        self._inner: Encoder = open_encoder(self._software(int(arg6.get("bitrate", 0))))
        self._ready: deque[dict[str, Any]] = deque()
        self.applied = structEncodeReconfigureParams()
        self.applied.averageBitrate = int(arg6.get("bitrate", 0))
        self.applied.frameRateNum = int(arg6["fps"])

    def Encode(self, frame: HasCuda, picParams: NV_ENC_PIC_PARAMS) -> list[dict[str, Any]]:  # noqa: N802, N803
        """Read a frame and return what is ready: ``data``, ``timestamp``, ``picture_type``."""
        luma, chroma = (_bytes_of(plane) for plane in frame.cuda())
        picture = np.concatenate([luma.ravel(), chroma[..., 0].ravel(), chroma[..., 1].ravel()])
        block = picture.reshape(self._size_wh[1] * 3 // 2, self._size_wh[0])
        surface = SurfaceView.wrap(block, VideoFormat.I420, color=self._inner.color)
        forced = bool(picParams.encodePicFlags & NV_ENC_PIC_FLAGS.FORCEIDR.value)
        units = self._inner.encode(surface, picParams.inputTimeStamp, None, force_keyframe=forced)
        self._ready += [
            {"data": unit.data, "timestamp": unit.pts_ns, "picture_type": _IDR if unit.keyframe else _P}
            for unit in units
        ]
        return [self._ready.popleft() for _ in range(len(self._ready) - self.delay)]

    def EndEncode(self) -> list[dict[str, Any]]:  # noqa: N802  # the library's name
        """Return the rest."""
        rest = list(self._ready)
        self._ready.clear()
        self._inner.close()
        return rest

    def GetSequenceParams(self) -> bytes:  # noqa: N802  # the library's name
        """Return the parameter sets."""
        return self._inner.extradata

    def GetEncodeReconfigureParams(self) -> structEncodeReconfigureParams:  # noqa: N802  # the library's name
        """Return what can change."""
        return self.applied

    def Reconfigure(self, arg0: structEncodeReconfigureParams) -> bool:  # noqa: N802  # the library's name
        """Go on with other values."""
        self.applied = arg0
        self._inner.reconfigure(self._software(arg0.averageBitrate))
        return True

    def _software(self, bitrate: int) -> EncoderConfig:
        """Translate the options that change what a decoder sees."""
        options = self.options
        props = _PROPS[options["codec"]](iframeinterval=int(options["gop"]), control_rate=_MODES[options["rc"]])
        if bitrate:
            props.bitrate = bitrate
        if "constqp" in options and not isinstance(props, Av1DgpuProps):
            inter, both_ways, intra = options["constqp"].split(",") if "," in options["constqp"] else "000"
            props.const_qp = f"{intra}:{inter}:{both_ways}"
        config = EncoderConfig(Codec.from_name(options["codec"]), *self._size_wh).fps(int(options["fps"]), 1)
        return config.properties(EncoderProperties(props))


def CreateEncoder(width: int, height: int, fmt: str, usecpuinputbuffer: bool, **kwargs: Any) -> PyNvEncoder:  # noqa: N802
    """Open a session."""
    context, stream = int(kwargs.pop("cudacontext", 0)), int(kwargs.pop("cudastream", 0))
    return PyNvEncoder(width, height, fmt, context, stream, usecpuinputbuffer, kwargs)


class HostGpu:
    """Host memory that passes for a GPU's."""

    context: int = 1
    stream: int = 2

    def __init__(self) -> None:
        self.closed: bool = False
        self.settled: int = 0

    def ready(self, surface: SurfaceView) -> SurfaceView:
        """Copy a host surface to "device" planes, chroma right after luma."""
        width, height = surface.size_wh
        block = np.concatenate([plane.reshape(-1, width) for plane in map(np.ascontiguousarray, surface.planes)])
        address = block.ctypes.data
        planes = (
            DevicePlane(address, (height, width), (width, 1), read_only=False, stream=None, owner=block),
            DevicePlane(
                address + width * height,
                (height // 2, width // 2, 2),
                (width, 2, 1),
                read_only=False,
                stream=None,
                owner=block,
            ),
        )
        return SurfaceView(planes, surface.format, surface.size_wh, surface.color)

    def settle(self) -> None:
        """Count how often it was asked."""
        self.settled += 1

    def at_rest(self) -> AbstractContextManager[None]:
        """Everywhere."""
        return nullcontext()

    def close(self) -> None:
        """Note it."""
        self.closed = True


def _bytes_of(plane: Any) -> npt.NDArray[np.uint8]:
    """Copy a plane out of memory, as its interface describes it."""
    interface = plane.__cuda_array_interface__
    if interface["typestr"] != "|u1":
        raise PyNvVCException("Unsupported buffer format!")
    (rows, *_), pitch = interface["shape"], interface["strides"][0]
    memory = (ctypes.c_uint8 * (rows * pitch)).from_address(interface["data"][0])
    flat = np.frombuffer(memory, np.uint8)
    view = np.lib.stride_tricks.as_strided(flat, interface["shape"], interface["strides"])
    return view.copy()
