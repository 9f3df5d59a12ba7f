"""The bytes that frames were decoded from, as they travel on: whole access units that need nothing beside them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple, final

from picasso.primitives import Attribute, AttributeValue

if TYPE_CHECKING:
    from av import Packet
    from av.video.stream import VideoStream

    from picasso.primitives import VideoFrame

    VideoPacket = Packet[VideoStream]

ARRIVAL: Final = ("picasso.media", "arrival")
"""The temporary attribute in which a frame that carries its bytes has its place among those of its stream."""
_FILTERS: Final = {"h264": "h264_mp4toannexb", "hevc": "hevc_mp4toannexb"}
_SETS: Final = {
    "h264": re.compile(rb"\x00\x00\x01[\x07\x27\x47\x67]"),
    "hevc": re.compile(rb"\x00\x00\x01[\x42\x43]"),
}
"""A sequence parameter set (ITU-T H.264, table 7-1; H.265, table 7-1)."""


class Carried(NamedTuple):
    """The bytes of one frame."""

    data: bytes
    """H.264 and HEVC in Annex B, with parameter sets at keyframes."""
    keyframe: bool
    arrival: int
    """Its place in the order in which the frames of its stream arrive, and are decoded, from 0."""
    lag_ticks: int | None
    """From when it is decoded until it is shown; None where the container does not tell."""


@final
class Carrier:
    """Keeps the bytes of packets until their pictures come. One thread at a time."""

    def __init__(self, stream: VideoStream, *, are_times_real: bool) -> None:
        """Learn in which form the packets of a stream come.

        Args:
            stream: The stream.
            are_times_real: Whether the container tells when frames are decoded and shown.
        """
        codec = stream.codec_context
        self._filter = None
        self._sets = _SETS.get(codec.name)
        self._extradata = codec.extradata or b""
        if codec.name in _FILTERS and self._extradata[:1] == b"\x01":
            from av.bitstream import BitStreamFilterContext

            self._filter = BitStreamFilterContext(_FILTERS[codec.name], stream)
        self._are_times_real = are_times_real
        self._waiting: dict[int, Carried] = {}
        self._arrivals = 0
        self._shown = 0

    def prepare(self, packet: VideoPacket) -> Carried:
        """Take the bytes of a packet, before it is decoded."""
        lag = None
        if self._are_times_real and packet.pts is not None and packet.dts is not None:
            lag = packet.pts - packet.dts
        return Carried(self._whole(packet), packet.is_keyframe, 0, lag)

    def keep(self, number: int, carried: Carried, most: int) -> None:
        """Keep the bytes of packet ``number``, which was decoded; of those without pictures at ``most`` that number."""
        self._waiting[number] = carried._replace(arrival=self._arrivals)
        self._arrivals += 1
        if len(self._waiting) > most:
            del self._waiting[next(iter(self._waiting))]

    def take(self, number: int, delay: int, duration_ticks: int) -> Carried | None:
        """Return the bytes of a picture that is shown; None where they are not known.

        Args:
            number: Its packet.
            delay: Pictures that the decoder may hold back.
            duration_ticks: How long a frame is shown.
        """
        carried = self._waiting.pop(number, None)
        place, self._shown = self._shown, self._shown + 1
        if carried is not None and carried.lag_ticks is None:
            lag = max(delay + place - carried.arrival, 0) * duration_ticks
            carried = carried._replace(lag_ticks=lag)
        return carried

    def _whole(self, packet: VideoPacket) -> bytes:
        """Return the bytes of a packet, with what a decoder needs that begins at it."""
        data = bytes(packet)
        if self._filter is not None:
            import av

            copy: Packet[Any] = av.Packet(data)
            copy.is_keyframe = packet.is_keyframe
            return b"".join(bytes(part) for part in self._filter.filter(copy)) or data
        if self._sets is not None and packet.is_keyframe and self._extradata[:2] == b"\0\0":
            return data if self._sets.search(data) else self._extradata + data
        return data


def note_arrival(frame: VideoFrame, arrival: int) -> None:
    """Write the place of a frame among those of its stream into it."""
    frame.set_attribute(Attribute(*ARRIVAL, [AttributeValue.integer(arrival)], None, False, True))


def take_arrival(frame: VideoFrame) -> int | None:
    """Take the place of a frame among those of its stream out of it; None where it has none."""
    attribute = frame.delete_attribute(*ARRIVAL)
    return None if attribute is None else attribute.values[0].as_integer()
