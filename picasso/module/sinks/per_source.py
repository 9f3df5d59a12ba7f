"""Sinks that write files of each source: one that fails is left out, the others go on."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from picasso.errors import MediaError
from picasso.flow import LeftOut

if TYPE_CHECKING:
    from picasso.engine import OutputMessage

logger: logging.Logger = logging.getLogger("picasso.module")


class SourceWriter(Protocol):
    """Writes the files of one source."""

    def write(self, output: OutputMessage) -> LeftOut | None:
        """Write an ``output``, or say why it is left out.

        Raises:
            MediaError: It cannot be written.
        """

    def close(self) -> None:
        """Finish the files.

        Raises:
            MediaError: They cannot be finished.
        """

    @property
    def lost(self) -> int:
        """Frames, once it is closed, that it took and that are in no file."""


Writer = TypeVar("Writer", bound=SourceWriter)


class PerSourceSink(Generic[Writer]):
    """A writer for each source, from the first output of a stream to its end.

    Where a source cannot be written, its frames are counted as ``failed`` until its stream ends, and the error is
    logged. When that is so of every source whose stream is open, the sink fails.
    """

    name = "files"

    def __init__(self) -> None:
        """Write nothing yet."""
        self.lost: int = 0
        """Frames that were taken and are in no file, as the disk was full."""
        self._writers: dict[str, Writer] = {}
        self._failed: dict[str, MediaError] = {}

    def open_writer(self, source_id: str) -> Writer:
        """Begin to write a source.

        Raises:
            MediaError: Its first file cannot be created.
        """
        raise NotImplementedError

    def write(self, output: OutputMessage) -> LeftOut | None:
        """Write an ``output`` of its source, or say why it is left out.

        Raises:
            MediaError: No source can be written any more.
        """
        source_id = output.source_id
        if source_id in self._failed:
            if output.is_eos:
                del self._failed[source_id]
            return LeftOut("failed")
        try:
            return self._write(source_id, output)
        except MediaError as error:
            self._leave_out(source_id, error, output)
            return LeftOut("failed")

    def close(self) -> None:
        """Finish the files of every source.

        Raises:
            MediaError: Some of them cannot be finished; the others are.
        """
        failures = list(self._failed.values())
        while self._writers:
            try:
                self._finish(self._writers.popitem()[1])
            except MediaError as error:
                failures.append(error)
        if failures:
            raise failures[0]

    def _write(self, source_id: str, output: OutputMessage) -> LeftOut | None:
        writer = self._writers.get(source_id)
        if writer is None:
            if output.is_eos:
                return None
            writer = self._writers[source_id] = self.open_writer(source_id)
        left_out = writer.write(output)
        if output.is_eos:
            self._finish(self._writers.pop(source_id))
        return left_out

    def _finish(self, writer: Writer) -> None:
        try:
            writer.close()
        finally:
            self.lost += writer.lost

    def _leave_out(self, source_id: str, error: MediaError, output: OutputMessage) -> None:
        """Write a source no further until its stream has ended."""
        writer = self._writers.pop(source_id, None)
        if writer is not None and not output.is_eos:
            try:
                self._finish(writer)
            except MediaError as closing:
                error = closing  # it says what is safe and what is lost
        if not output.is_eos:
            self._failed[source_id] = error
        if not self._writers:
            raise error
        logger.error("%s: source %r is not written until its stream ends: %s", self.name, source_id, error)
