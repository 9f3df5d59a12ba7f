"""Many sources through one engine: sources, sinks, and the runner between them."""

from picasso.flow.feeder import Annotate, OnState
from picasso.flow.output import Output
from picasso.flow.restart import NEVER, RestartPolicy
from picasso.flow.runner import OnProgress, Runner
from picasso.flow.sink import LeftOut, Segments, Sink
from picasso.flow.source import Camera, File, Item, Source
from picasso.flow.stage import Downstream, Stage
from picasso.flow.state import SinkStatus, SourceState, SourceStatus
from picasso.flow.watch import IdlePolicy
from picasso.primitives.field_texts import explain_fields as _explain_fields

__all__ = [
    "NEVER",
    "Annotate",
    "Camera",
    "Downstream",
    "File",
    "IdlePolicy",
    "Item",
    "LeftOut",
    "OnProgress",
    "OnState",
    "Output",
    "RestartPolicy",
    "Runner",
    "Segments",
    "Sink",
    "SinkStatus",
    "Source",
    "SourceState",
    "SourceStatus",
    "Stage",
]

_explain_fields(globals())
