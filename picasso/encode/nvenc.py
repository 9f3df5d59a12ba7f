"""H.264, HEVC and AV1 on an NVIDIA GPU, by NVENC through PyNvVideoCodec."""

from __future__ import annotations

import functools
import importlib
import logging
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from picasso.encode.bitstream import parameter_sets
from picasso.encode.color_tags import ColorTags
from picasso.encode.encoder import EncodedUnit
from picasso.encode.input_check import InputCheck
from picasso.encode.nvenc_gpu import CudaGpu, Gpu
from picasso.encode.nvenc_options import LIVE, NvencPlan, nvenc_plan
from picasso.errors import EncoderError, MissingDependencyError, SurfaceError
from picasso.surface.formats import MemType, VideoFormat

if TYPE_CHECKING:
    from picasso.encode.config import EncoderConfig
    from picasso.surface.formats import ColorSpace
    from picasso.surface.view import SurfaceView

log: logging.Logger = logging.getLogger("picasso.encode")

KEYFRAMES: Final = frozenset({2, 3})
"""``NV_ENC_PIC_TYPE`` of I- and IDR-frames; with ``idrperiod == gop`` every I-frame is an IDR."""

_STAYS: Final = frozenset({MemType.DEFAULT, MemType.CUDA_PINNED, MemType.CUDA_DEVICE, MemType.CUDA_UNIFIED})
"""Memory that a running session may be told of: a source on the GPU stays there where nothing else is said."""


class NvencEncoder:
    """A session of NVENC: one unit a surface, in order; where the driver holds frames back they follow later.

    Frames are counted, not timed: their timestamps wait here and come out as they went in.
    """

    input_format = VideoFormat.NV12
    reads_device_memory = True
    """Surfaces are read where they are, on the GPU; one in host memory is uploaded."""

    def __init__(self, config: EncoderConfig, library: Any, gpu: Gpu) -> None:
        """Open a session.

        Args:
            config: What to make; validated.
            library: The module ``PyNvVideoCodec``, or ``picasso.testing.nvenc``.
            gpu: Where the session runs; closed with the encoder, or when this fails.

        Raises:
            EncoderError: NVENC is not there, or refuses, with its reason.
        """
        self._session: Any = None  # before the GPU: what is dropped goes in this order, and a session needs its stream
        self.name: str = f"nvenc {config.codec.name()}"
        self._config = config.copy()
        self._library = library
        self._gpu = gpu
        self._held: deque[tuple[int, int, int | None]] = deque()  # number, pts, duration of frames not out yet
        self._count = 0
        self.extradata: bytes = b""
        try:
            self._plan = nvenc_plan(config)
            self.color: ColorSpace = config.color_space(self._plan.settings.full_range)
            self._input = InputCheck(self.name, self.input_format, (config.width, config.height), self.color)
            self._tags = ColorTags(config.codec, self.color)
            self._session = self._open()
            self._set_frame_rate()
        except BaseException:
            gpu.close()
            raise
        _warn(config, self._plan)

    def encode(
        self, surface: SurfaceView, pts_ns: int, duration_ns: int | None, *, force_keyframe: bool = False
    ) -> list[EncodedUnit]:
        """Encode one frame, on the GPU or uploaded there; see ``Encoder.encode``."""
        self._input.admit(surface, pts_ns)
        frame = _Frame(self._gpu.ready(surface))
        params = self._library.NV_ENC_PIC_PARAMS()
        params.inputTimeStamp = params.frameIdx = self._count
        if force_keyframe:
            flags = self._library.NV_ENC_PIC_FLAGS
            params.encodePicFlags = flags.FORCEIDR.value | flags.OUTPUT_SPSPPS.value
        self._held.append((self._count, pts_ns, duration_ns))
        self._count += 1
        try:
            packets = self._session.Encode(frame, params)
            self._gpu.settle()
        except Exception as error:
            self._held.pop()
            raise EncoderError(f"{self.name} failed on frame {self._count - 1}: {_one_line(error)}") from error
        return self._units(packets)

    def flush(self) -> list[EncodedUnit]:
        """End the stream; see ``Encoder.flush``."""
        self._input.close()
        if self._session is None:
            return []
        try:
            return self._units(self._session.EndEncode())
        except EncoderError:
            raise
        except Exception as error:
            raise EncoderError(f"{self.name} failed at the end of the stream: {_one_line(error)}") from error
        finally:
            self._session = None

    def close(self) -> None:
        """End the session; see ``Encoder.close``."""
        self._input.close()
        session, self._session = self._session, None
        if session is not None:
            with suppress(Exception):
                session.EndEncode()
            del session
        self._held.clear()
        self._gpu.close()

    def reconfigure(self, config: EncoderConfig) -> bool:
        """Take another bit rate, cap, buffer, target quality, frame rate, or CBR for VBR, from the next frame on."""
        self._input.check_open()
        old, plan = self._config, self._plan
        place = (old.codec, old.width, old.height, old.device_id)
        if (config.codec, config.width, config.height, config.device_id) != place or config.memory_type not in _STAYS:
            return False
        try:
            wanted = nvenc_plan(config)
        except EncoderError:
            return False
        changed = {name for name, _ in wanted.options.items() ^ plan.options.items()}
        if config.color_space(wanted.settings.full_range) != self.color or not changed <= LIVE:
            return False
        if (changed or wanted.settings.frame_rate != plan.settings.frame_rate) and not self._change_rate(wanted):
            return False
        self._config, self._plan = config.copy(), wanted
        _warn(config, wanted)
        return True

    def _open(self) -> Any:
        width, height = self._config.width, self._config.height
        options = self._plan.options | {
            "gpu_id": str(self._config.device_id),
            "cudacontext": str(self._gpu.context),
            "cudastream": str(self._gpu.stream),
        }
        try:
            return self._library.CreateEncoder(width, height, "NV12", False, **options)  # its own order
        except Exception as error:
            raise EncoderError(f"NVENC cannot open {self._config!r}: {_one_line(error)}") from error

    def _set_frame_rate(self) -> None:
        """Tell NVENC a rate that is not a whole number, which its options cannot name."""
        if self._plan.settings.frame_rate.denominator != 1 and not self._change_rate(self._plan):
            log.warning("%s: rate control reckons with %s frames/s", self.name, self._plan.options["fps"])

    def _change_rate(self, plan: NvencPlan) -> bool:
        settings, options, modes = plan.settings, plan.options, self._library.NV_ENC_PARAMS_RC_MODE
        try:
            params = self._session.GetEncodeReconfigureParams()
            params.frameRateNum, params.frameRateDen = settings.frame_rate.as_integer_ratio()
            if "bitrate" in options:
                params.rateControlMode = modes.CBR if options["rc"] == "cbr" else modes.VBR
                params.averageBitrate = settings.bitrate
                params.maxBitRate = int(options.get("maxbitrate", 0))
                params.vbvBufferSize = int(options.get("vbvbufsize", 0))
                params.vbvInitialDelay = int(options.get("vbvinit", 0))
                params.targetQuality = int(options.get("cq", 0))
            return bool(self._session.Reconfigure(params))
        except Exception as error:  # noqa: BLE001  # a new encoder will do
            log.info("%s is not changed live: %s", self.name, _one_line(error))
            return False

    def _units(self, packets: list[dict[str, Any]]) -> list[EncodedUnit]:
        units = []
        for packet in packets:
            if not self._held or packet["timestamp"] != self._held[0][0]:
                raise EncoderError(f"{self.name}: Output PTS reordering detected (B-frames?)")
            _, pts_ns, duration_ns = self._held.popleft()
            keyframe = packet["picture_type"] in KEYFRAMES
            data = bytes(packet["data"])
            units.append(EncodedUnit(self._complete(data) if keyframe else data, pts_ns, pts_ns, duration_ns, keyframe))
        return units

    def _complete(self, data: bytes) -> bytes:
        """Return a keyframe with its parameter sets, which say what its colours mean."""
        if not parameter_sets(self._config.codec, data):
            data = bytes(self._session.GetSequenceParams()) + data
        data = self._tags.apply(data)
        self.extradata = self.extradata or parameter_sets(self._config.codec, data)
        return data


class _Frame:
    """An NV12 surface as PyNvVideoCodec reads one: ``cuda()`` gives its planes, each with the array interface."""

    __slots__ = ("_planes",)

    def __init__(self, surface: SurfaceView) -> None:
        luma, chroma = surface.device_planes
        pitch = luma.strides[0]
        if chroma.strides[0] != pitch or chroma.ptr != luma.ptr + pitch * luma.shape[0]:
            raise SurfaceError("NVENC reads NV12 whose chroma follows its luma at once, with the same pitch")
        self._planes = [_Plane(plane.ptr, plane.shape, pitch, plane.owner) for plane in (luma, chroma)]

    def cuda(self) -> list[_Plane]:
        """Return luma ``(H, W, 1)`` and chroma ``(H / 2, W / 2, 2)``."""
        return self._planes


class _Plane:
    """One plane; no stream is named, as the pixels are there."""

    __slots__ = ("__cuda_array_interface__", "_owner")

    def __init__(self, address: int, shape: tuple[int, ...], pitch: int, owner: object) -> None:
        channels = shape[2] if len(shape) == 3 else 1
        self._owner = owner
        self.__cuda_array_interface__ = {
            "version": 3,
            "shape": (*shape[:2], channels),
            "strides": (pitch, channels, 1),
            "typestr": "|u1",
            "data": (address, False),
        }


def open_nvenc(config: EncoderConfig) -> NvencEncoder:
    """Open a session on the configured GPU.

    Raises:
        DeviceError: There is no such GPU.
        MissingDependencyError: ``PyNvVideoCodec`` or the CUDA bindings are not installed.
        EncoderError: The GPU has no NVENC, or it refuses.
    """
    gpu = CudaGpu(config.device_id)
    try:
        library = load_library()
    except MissingDependencyError:
        gpu.close()
        raise
    return NvencEncoder(config, library, gpu)


def load_library() -> Any:
    """Import ``PyNvVideoCodec``, once.

    Raises:
        MissingDependencyError: It is not installed, or the driver's libraries are not there.
    """
    module, error = _import()
    if module is None:
        raise MissingDependencyError(
            f"PyNvVideoCodec cannot be imported ({_one_line(error)}); pip install 'picasso-engine[cuda13]'"
        )
    return module


@functools.cache
def _import() -> tuple[Any, Exception | None]:
    try:
        return importlib.import_module("PyNvVideoCodec"), None
    except (ImportError, RuntimeError) as error:  # RuntimeError: no libnvcuvid or libnvidia-encode
        return None, error


def _warn(config: EncoderConfig, plan: NvencPlan) -> None:
    if config.encoder_params is not None:
        props = config.encoder_params.props
        for name, value in props.given().items():
            if name in plan.ignored:
                log.warning("%s.%s = %r has no effect: %s", type(props).__name__, name, value, plan.ignored[name])


def _one_line(error: object) -> str:
    """Return the first words of what the library says, which can be pages."""
    text = " ".join(str(error).split())
    return text if len(text) <= 300 else f"{text[:300]}…"
