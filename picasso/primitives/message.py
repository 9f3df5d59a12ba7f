"""What travels between two programs: one frame, batch, update or signal, and what is written on the envelope."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, SupportsIndex, TypeAlias, TypeVar

from picasso.errors import ProtocolError
from picasso.primitives.checks import text, whole
from picasso.primitives.end_of_stream import EndOfStream
from picasso.primitives.frame_batch import VideoFrameBatch
from picasso.primitives.frame_update import VideoFrameUpdate
from picasso.primitives.protocol import register_message, registered_codec
from picasso.primitives.shutdown import Shutdown
from picasso.primitives.user_data import UserData
from picasso.primitives.video_frame import VideoFrame

Content: TypeAlias = VideoFrame | VideoFrameBatch | VideoFrameUpdate | UserData | EndOfStream | Shutdown | str
"""What a message holds; a text is an unknown message and says what is known of it."""

_T = TypeVar("_T")
_MAX_SEQ_ID: Final = 2**64 - 1
_KINDS: Final[dict[type, str]] = {
    VideoFrame: "video_frame",
    VideoFrameBatch: "video_frame_batch",
    VideoFrameUpdate: "video_frame_update",
    UserData: "user_data",
    EndOfStream: "end_of_stream",
    Shutdown: "shutdown",
    str: "unknown",
}
_CONTENTS: Final = tuple(_KINDS)


class PropagatedContext(Mapping[str, str]):
    """The trace that a message belongs to, as tracers write it: names and values of headers.

    Args:
        headers: Their names and values.

    Raises:
        TypeError: A name or a value is not text.
    """

    __slots__ = ("_headers",)

    def __init__(self, headers: Mapping[str, str] | None = None) -> None:
        self._headers = {text("header", name): text(name, value) for name, value in (headers or {}).items()}

    def as_dict(self) -> dict[str, str]:
        """Return names and values, as a copy."""
        return self._headers.copy()

    def __getitem__(self, name: str) -> str:
        return self._headers[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._headers)

    def __len__(self) -> int:
        return len(self._headers)

    def __repr__(self) -> str:
        return f"PropagatedContext({self._headers!r})"


class Message:
    """One message: made by the factory of its kind, read by its ``as_…`` method.

    Convention: the content is shared, not copied: a frame that is changed later changes the message. The ``as_…``
    methods of all other kinds return ``None``.

    Args:
        content: What it holds; a text makes an ``unknown`` message.
        labels: Routing labels.
        span_context: The trace that it belongs to.
        seq_id: Number within its source, from 1; 0 for a message that no one has numbered.
        system_id: Who sent it; newer peers set it.

    Raises:
        TypeError: An argument is of another type.
    """

    __slots__ = ("_content", "_labels", "_seq_id", "_span_context", "_system_id")
    __hash__: Any = None

    def __init__(
        self,
        content: Content,
        *,
        labels: Iterable[str] = (),
        span_context: Mapping[str, str] | None = None,
        seq_id: SupportsIndex = 0,
        system_id: str = "",
    ) -> None:
        if not isinstance(content, _CONTENTS):
            raise TypeError(f"content: expected one of {', '.join(_KINDS.values())}, got {type(content).__name__}")
        self._content = text("content", content) if isinstance(content, str) else content
        self.labels = list(labels)
        self.span_context = span_context if span_context is not None else _NO_CONTEXT
        self.seq_id = seq_id
        self.system_id = system_id

    @staticmethod
    def unknown(description: str) -> Message:
        """Hold a description of a message that cannot be read."""
        return Message(_a(str, description))

    @staticmethod
    def video_frame(frame: VideoFrame) -> Message:
        """Hold a frame."""
        return Message(_a(VideoFrame, frame))

    @staticmethod
    def video_frame_batch(batch: VideoFrameBatch) -> Message:
        """Hold several frames."""
        return Message(_a(VideoFrameBatch, batch))

    @staticmethod
    def video_frame_update(update: VideoFrameUpdate) -> Message:
        """Hold changes for a frame that someone else has."""
        return Message(_a(VideoFrameUpdate, update))

    @staticmethod
    def user_data(user_data: UserData) -> Message:
        """Hold a copy of user data, without the temporary attributes."""
        return Message(_a(UserData, user_data).persistent_copy())

    @staticmethod
    def end_of_stream(eos: EndOfStream) -> Message:
        """Hold the signal that a source has ended."""
        return Message(_a(EndOfStream, eos))

    @staticmethod
    def shutdown(shutdown: Shutdown) -> Message:
        """Hold a ``shutdown``, the request to end."""
        return Message(_a(Shutdown, shutdown))

    @property
    def content(self) -> Content:
        """What it holds, of any kind."""
        return self._content

    @property
    def kind(self) -> str:
        """The name of the factory of its kind, such as ``"video_frame"``."""
        content = self._content
        return _KINDS.get(type(content)) or next(name for of, name in _KINDS.items() if isinstance(content, of))

    @property
    def labels(self) -> list[str]:
        """Routing labels, as a copy; setting takes texts."""
        return self._labels.copy()

    @labels.setter
    def labels(self, value: Iterable[str]) -> None:
        if isinstance(value, str):
            raise TypeError("labels: expected several texts, got one str")
        self._labels = [text("labels", label) for label in value]

    @property
    def span_context(self) -> PropagatedContext:
        """The trace that it belongs to; setting takes a mapping of texts."""
        return self._span_context

    @span_context.setter
    def span_context(self, value: Mapping[str, str]) -> None:
        self._span_context = value if isinstance(value, PropagatedContext) else PropagatedContext(value)

    @property
    def seq_id(self) -> int:
        """Number within its source, from 1 to 2⁶⁴ − 1; 0 for a message that no one has numbered."""
        return self._seq_id

    @seq_id.setter
    def seq_id(self, value: SupportsIndex) -> None:
        self._seq_id = whole("seq_id", value, 0, _MAX_SEQ_ID)

    @property
    def system_id(self) -> str:
        """Who sent it; empty from peers that do not say."""
        return self._system_id

    @system_id.setter
    def system_id(self, value: str) -> None:
        self._system_id = text("system_id", value)

    @property
    def source_id(self) -> str | None:
        """The source of a frame, of user data or of an end of stream; ``None`` for other kinds."""
        content = self._content
        return content.source_id if isinstance(content, VideoFrame | UserData | EndOfStream) else None

    def is_unknown(self) -> bool:
        """Say whether it could not be read."""
        return isinstance(self._content, str)

    def is_video_frame(self) -> bool:
        """Say whether it holds a frame."""
        return isinstance(self._content, VideoFrame)

    def is_video_frame_batch(self) -> bool:
        """Say whether it holds several frames."""
        return isinstance(self._content, VideoFrameBatch)

    def is_video_frame_update(self) -> bool:
        """Say whether it holds changes for a frame."""
        return isinstance(self._content, VideoFrameUpdate)

    def is_user_data(self) -> bool:
        """Say whether it holds attributes of a source."""
        return isinstance(self._content, UserData)

    def is_end_of_stream(self) -> bool:
        """Say whether it is the end of a source."""
        return isinstance(self._content, EndOfStream)

    def is_shutdown(self) -> bool:
        """Say whether it asks to shut down."""
        return isinstance(self._content, Shutdown)

    def as_unknown(self) -> str | None:
        """Return what is known of it."""
        return self._as(str)

    def as_video_frame(self) -> VideoFrame | None:
        """Return the frame."""
        return self._as(VideoFrame)

    def as_video_frame_batch(self) -> VideoFrameBatch | None:
        """Return the frames."""
        return self._as(VideoFrameBatch)

    def as_video_frame_update(self) -> VideoFrameUpdate | None:
        """Return the changes."""
        return self._as(VideoFrameUpdate)

    def as_user_data(self) -> UserData | None:
        """Return the attributes of a source."""
        return self._as(UserData)

    def as_end_of_stream(self) -> EndOfStream | None:
        """Return the signal that a source has ended."""
        return self._as(EndOfStream)

    def as_shutdown(self) -> Shutdown | None:
        """Return the request to shut down."""
        return self._as(Shutdown)

    def _as(self, kind: type[_T]) -> _T | None:
        return self._content if isinstance(self._content, kind) else None

    def __repr__(self) -> str:
        return f"Message.{self.kind}({self._content!r}, seq_id={self._seq_id})"


def _message_of(content: Content) -> Message:
    return Message.user_data(content) if isinstance(content, UserData) else Message(content)


register_message(_message_of)
_NO_CONTEXT = PropagatedContext()


def save_message_to_bytes(message: Message, no_gil: bool = True) -> bytes:  # noqa: ARG001 - the reference's
    """Return the bytes of a message, for a socket or a file.

    Args:
        message: The message.
        no_gil: Has no effect; existing code gives it.

    Raises:
        ProtocolError: It holds something that the protocol cannot carry.
    """
    return registered_codec().encode_message(_a(Message, message))


def load_message_from_bytes(data: bytes, no_gil: bool = True) -> Message:  # noqa: ARG001 - the reference's
    """Read a message; bytes that hold none are an ``unknown`` message that says why.

    Args:
        data: What ``save_message_to_bytes`` wrote, here or in another program that speaks the protocol.
        no_gil: Has no effect; existing code gives it.

    Raises:
        TypeError: ``data`` is not bytes.
    """
    try:
        return registered_codec().decode_message(_a(bytes, data))
    except ProtocolError as error:
        return Message.unknown(str(error))


def _a(kind: type[_T], value: object) -> _T:
    if not isinstance(value, kind):
        raise TypeError(f"expected {kind.__name__}, got {type(value).__name__}")
    return value
