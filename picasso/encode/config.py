"""What a source's encoder makes: codec, size, rate, properties."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final, Self, final

from picasso.encode.enums import Codec
from picasso.encode.properties import EncoderProperties
from picasso.encode.property_types import UINT32_MAX, Integer, Member
from picasso.errors import SpecError
from picasso.surface.formats import MAX_SIDE, ColorSpace, Matrix, MemType, VideoFormat

if TYPE_CHECKING:
    from enum import Enum

SIDE = Integer(1, MAX_SIDE, "pixels")
RATE_PART = Integer(1, 2**31 - 1)
DEVICE = Integer(0, UINT32_MAX)
CRF_RANGES: Final = {Codec.H264: (1, 51), Codec.HEVC: (0, 51), Codec.AV1: (1, 63)}
"""Constant quality of each codec, best and worst, on the scale of its library: libx264, libx265 and libsvtav1."""


@final
class EncoderConfig:
    """What to encode into.

    The builder methods (``format``, ``fps``, ``gpu_id``, ``matrix``, ``mem_type``, ``properties``,
    ``constant_quality``) change the object and return it, so both ``config.fps(25, 1)`` as a statement and a chain of
    calls work. Two configurations are equal when every setting is.

    Args:
        codec: What a frame becomes.
        width: Of the encoded picture, pixels, 1..16384.
        height: Of the encoded picture, pixels, 1..16384.

    Raises:
        TypeError: An argument of the wrong kind, here or in a builder.
        ValueError: An argument out of range, here or in a builder.
    """

    __slots__ = (
        "_codec",
        "_crf",
        "_format",
        "_fps_den",
        "_fps_num",
        "_gpu_id",
        "_height",
        "_matrix",
        "_mem_type",
        "_properties",
        "_width",
    )

    def __init__(self, codec: Codec, width: int, height: int) -> None:
        self._codec = Member(Codec).checked("EncoderConfig.codec", codec)
        self._width = SIDE.checked("EncoderConfig.width", width)
        self._height = SIDE.checked("EncoderConfig.height", height)
        self._crf: float | None = None
        self._format = VideoFormat.NV12
        self._fps_num, self._fps_den = 30, 1
        self._gpu_id: int | None = None
        self._matrix: Matrix | None = None
        self._mem_type = MemType.DEFAULT
        self._properties: EncoderProperties | None = None

    @property
    def codec(self) -> Codec:
        """What a frame becomes."""
        return self._codec

    @property
    def width(self) -> int:
        """Of the encoded picture, pixels."""
        return self._width

    @property
    def height(self) -> int:
        """Of the encoded picture, pixels."""
        return self._height

    @property
    def video_format(self) -> VideoFormat:
        """Format asked for with ``format``; an encoder on the CPU takes the one it names itself."""
        return self._format

    @property
    def device_id(self) -> int:
        """Graphics card to encode on, set with ``gpu_id``; an engine's source that names none takes its pixels'."""
        return self._gpu_id or 0

    @property
    def color_matrix(self) -> Matrix | None:
        """Which YUV a stream is made of, set with ``matrix``; None leaves it to the source and the height."""
        return self._matrix

    def color_space(self, full_range: bool = False) -> ColorSpace:
        """Return what the numbers of YUV mean: ``color_matrix``, else BT.709 from 720 lines up, BT.601 below."""
        by_height = ColorSpace.for_height(self._height, full_range)
        return by_height if self._matrix is None else ColorSpace(self._matrix, full_range)

    @property
    def crf(self) -> float | None:
        """Constant quality set with ``constant_quality``; None leaves the rate to the properties."""
        return self._crf

    @property
    def memory_type(self) -> MemType:
        """Where surfaces live, set with ``mem_type``."""
        return self._mem_type

    @property
    def fps_num(self) -> int:
        """Numerator of the frame rate, 1..2**31-1."""
        return self._fps_num

    @fps_num.setter
    def fps_num(self, num: int) -> None:
        self._fps_num = RATE_PART.checked("EncoderConfig.fps_num", num)

    @property
    def fps_den(self) -> int:
        """Denominator of the frame rate, 1..2**31-1."""
        return self._fps_den

    @fps_den.setter
    def fps_den(self, den: int) -> None:
        self._fps_den = RATE_PART.checked("EncoderConfig.fps_den", den)

    @property
    def encoder_params(self) -> EncoderProperties | None:
        """Properties of the codec; None: the defaults."""
        return self._properties

    @encoder_params.setter
    def encoder_params(self, params: EncoderProperties | None) -> None:
        if params is not None and not isinstance(params, EncoderProperties):
            raise TypeError(f"EncoderConfig.encoder_params: expected EncoderProperties or None, got {params!r}")
        self._properties = params

    def format(self, f: VideoFormat) -> Self:
        """Ask for surfaces of this format."""
        self._format = Member(VideoFormat).checked("EncoderConfig.format", f)
        return self

    def fps(self, num: int, den: int = 1) -> Self:
        """Set the frame rate to ``num / den`` frames a second, each 1..2**31-1; rate control reckons with it."""
        num = RATE_PART.checked("EncoderConfig.fps_num", num)
        self._fps_num, self._fps_den = num, RATE_PART.checked("EncoderConfig.fps_den", den)
        return self

    def gpu_id(self, id: int) -> Self:
        """Set the graphics card to encode on, by its number ``id``."""
        self._gpu_id = DEVICE.checked("EncoderConfig.gpu_id", id)
        return self

    def matrix(self, m: Matrix | None) -> Self:
        """Set which YUV a stream is made of.

        None, the default, lets an engine's stream keep that of its source's first picture, so that nothing is lost on
        the way; where that is RGB, or there is no engine, the height decides. JPEG and raw pictures go by their own
        rules.
        """
        self._matrix = None if m is None else Member(Matrix).checked("EncoderConfig.matrix", m)
        return self

    def mem_type(self, mt: MemType) -> Self:
        """Set where surfaces live."""
        self._mem_type = Member(MemType).checked("EncoderConfig.mem_type", mt)
        return self

    def properties(self, props: EncoderProperties) -> Self:
        """Set the properties of the codec."""
        if props is None:
            raise TypeError("EncoderConfig.properties: expected EncoderProperties, got None")
        self.encoder_params = props
        return self

    def constant_quality(self, crf: float | None) -> Self:
        """Hold the quality of H.264, HEVC or AV1 instead of a bit rate, as FFmpeg's ``-crf`` does.

        A ``max_bitrate`` of the properties still caps the rate.

        Args:
            crf: From best to worst: 1..51 for H.264, 0..51 for HEVC, whole numbers 1..63 for AV1; 23, 24 and 32 look
                much alike. None leaves the rate to the properties.
        """
        self._crf = None if crf is None else _checked_crf(self._codec, crf)
        return self

    def copy(self) -> EncoderConfig:
        """Return an equal configuration that changes on its own."""
        twin = EncoderConfig(self._codec, self._width, self._height)
        for slot in self.__slots__:
            setattr(twin, slot, getattr(self, slot))
        return twin

    def __copy__(self) -> EncoderConfig:
        return self.copy()

    def __deepcopy__(self, memo: dict[int, Any]) -> EncoderConfig:
        return self.copy()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, EncoderConfig):
            return NotImplemented
        same = all(getattr(self, slot) == getattr(other, slot) for slot in self.__slots__ if slot != "_gpu_id")
        return same and self.device_id == other.device_id

    __hash__: ClassVar[None] = None  # type: ignore[assignment]  # it can change

    def __repr__(self) -> str:
        params = f'"{self._properties.props!r}"' if self._properties else "None"
        extra = f"matrix={self._matrix.value}, " if self._matrix else ""
        if self._crf is not None:
            extra += f"crf={self._crf:g}, "
        return (
            f"EncoderConfig(codec={self._codec._name_}, {self._width}x{self._height}, format={_camel(self._format)}, "
            f"fps={self._fps_num}/{self._fps_den}, gpu_id={self.device_id}, {extra}mem_type={_camel(self._mem_type)}, "
            f"encoder_params={params})"
        )


def names_gpu(config: EncoderConfig) -> bool:
    """Tell whether ``gpu_id`` was called."""
    return config._gpu_id is not None


def _checked_crf(codec: Codec, crf: float) -> float:
    """Return a constant quality.

    Raises:
        TypeError: No number.
        SpecError: The codec has none, or it is out of its range.
    """
    place = "EncoderConfig.crf"
    if isinstance(crf, bool) or not isinstance(crf, int | float):
        raise TypeError(f"{place}: expected a number, got {crf!r}")
    if codec not in CRF_RANGES:
        raise SpecError(f"{place}: {codec.name()} has no constant quality; one of h264, hevc, av1")
    best, worst = CRF_RANGES[codec]
    if not best <= crf <= worst:
        raise SpecError(f"{place} = {crf}: expected {best}..{worst} for {codec.name()}")
    if codec is Codec.AV1 and crf != int(crf):
        raise SpecError(f"{place} = {crf}: expected a whole number for {codec.name()}")
    return crf


def _camel(member: Enum) -> str:
    return "".join(word.capitalize() for word in member._name_.split("_"))
