"""Who does what, and when."""

from picasso.engine.callbacks import Callbacks, ErrorStage
from picasso.engine.checks import Checked as _Checked
from picasso.engine.clock import Clock, MonotonicClock
from picasso.engine.engine import PicassoEngine
from picasso.engine.messages import OutputMessage
from picasso.engine.policies import (
    CallbackInvocationOrder,
    EvictionDecision,
    IdleTimeout,
    OverflowPolicy,
    PtsResetPolicy,
    StreamResetReason,
)
from picasso.engine.processor import share_processor
from picasso.engine.spec import CodecSpec, ConditionalSpec, GeneralSpec, SourceSpec
from picasso.engine.stats import DropReason, EngineStats, LatencySummary, SourceStats, Step
from picasso.engine.warming import WarmUp, warm_up
from picasso.primitives.field_texts import explain_fields as _explain_fields

__all__ = [
    "CallbackInvocationOrder",
    "Callbacks",
    "Clock",
    "CodecSpec",
    "ConditionalSpec",
    "DropReason",
    "EngineStats",
    "ErrorStage",
    "EvictionDecision",
    "GeneralSpec",
    "IdleTimeout",
    "LatencySummary",
    "MonotonicClock",
    "OutputMessage",
    "OverflowPolicy",
    "PicassoEngine",
    "PtsResetPolicy",
    "SourceSpec",
    "SourceStats",
    "Step",
    "StreamResetReason",
    "WarmUp",
    "share_processor",
    "warm_up",
]

_explain_fields(globals(), also_on_fields=(_Checked,))
