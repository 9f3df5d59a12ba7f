"""A small client: send pictures and videos to a module, receive what it makes of them.

::

    source = SourceBuilder().with_socket("dealer+connect:tcp://127.0.0.1:5555").build()
    sink = SinkBuilder().with_socket("sub+connect:tcp://127.0.0.1:5556").with_idle_timeout(10).build()
    source(JpegSource("cam-1", "street.jpg"))
    for result in sink:
        result.frame_meta, result.pixels()
"""

from picasso.client.builders import SinkBuilder, SourceBuilder
from picasso.client.dump import DumpReader, DumpWriter, Recorded, replay
from picasso.client.frame_sources import FrameSource, ImageSource, JpegSource, PngSource, VideoSource
from picasso.client.health import module_state, wait_for_health
from picasso.client.logs import JaegerLogProvider, LogEntry, LogProvider, Logs
from picasso.client.sink_runner import AsyncSinkRunner, SinkResult, SinkRunner
from picasso.client.source_runner import AsyncSourceRunner, HealthCheck, SourceResult, SourceRunner
from picasso.primitives.field_texts import explain_fields as _explain_fields

__all__ = [
    "AsyncSinkRunner",
    "AsyncSourceRunner",
    "DumpReader",
    "DumpWriter",
    "FrameSource",
    "HealthCheck",
    "ImageSource",
    "JaegerLogProvider",
    "JpegSource",
    "LogEntry",
    "LogProvider",
    "Logs",
    "PngSource",
    "Recorded",
    "SinkBuilder",
    "SinkResult",
    "SinkRunner",
    "SourceBuilder",
    "SourceResult",
    "SourceRunner",
    "VideoSource",
    "module_state",
    "replay",
    "wait_for_health",
]

_explain_fields(globals())
