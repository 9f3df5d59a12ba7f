"""What happens to a module and to its sources, for sinks that tell others of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from picasso.module.config.secrets import masked

EVENT_SCHEMA: Final = "Event"
MODULE: Final = "module-state"
SOURCE: Final = "source-state"


@dataclass(frozen=True, slots=True)
class ModuleEvent:
    """Something that has happened just now."""

    event: str
    """``module-state`` or ``source-state``."""
    module: str
    """The name of the module."""
    state: str
    """The state that it, or the source, has come to."""
    source_id: str | None = None
    """The source; None for an event of the module."""
    error: str = ""
    """Why; empty where nothing is wrong."""
    time: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="milliseconds"))
    """When, of the wall clock, UTC."""

    def record(self) -> dict[str, Any]:
        """Return the event as a record of JSON; what is not known is left out, and passwords are masked."""
        said = {"event": self.event, "module": self.module, "source_id": self.source_id, "state": self.state}
        said |= {"error": masked(self.error, ()) or None, "time": self.time, "schema": EVENT_SCHEMA}
        return {key: value for key, value in said.items() if value is not None}
