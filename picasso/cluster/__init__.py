"""The same work on many machines, by Ray: scheduling, transport and the detection of failures are Ray's own."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from picasso.cluster.door import RaySession, load_ray
from picasso.cluster.files.results import FileAtWork, FileResult, MapError, MapOutcome, MapProgress, PlannedFile
from picasso.primitives.field_texts import explain_fields as _explain_fields

if TYPE_CHECKING:
    from picasso.cluster.actors import Needs
    from picasso.cluster.datasets import FindObjects, placement_of, read_video
    from picasso.cluster.files.mapping import map_files, plan_files
    from picasso.cluster.messages import Gap
    from picasso.cluster.streams import ClusterModule

_LATE: dict[str, str] = {
    "ClusterModule": "streams",
    "Gap": "messages",
    "Needs": "actors",
    "FindObjects": "datasets",
    "placement_of": "datasets",
    "read_video": "datasets",
    "map_files": "files.mapping",
    "plan_files": "files.mapping",
}
"""Names that need more than NumPy and msgspec, by the file that has them; imported when they are asked for."""
_ray = load_ray
"""The one door to Ray."""

__all__ = [
    "ClusterModule",
    "FileAtWork",
    "FileResult",
    "FindObjects",
    "Gap",
    "MapError",
    "MapOutcome",
    "MapProgress",
    "Needs",
    "PlannedFile",
    "RaySession",
    "load_ray",
    "map_files",
    "placement_of",
    "plan_files",
    "read_video",
]

_explain_fields(globals())


def __getattr__(name: str) -> Any:
    if name in _LATE:
        return getattr(importlib.import_module(f"picasso.cluster.{_LATE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
