"""Where the frames of a module go."""

from picasso.module.sinks.files import ImageFileSink, MetadataFileSink, VideoFileSink
from picasso.module.sinks.open import open_sink
from picasso.module.sinks.simple import ConsoleSink, DevNullSink, FileSink, MemorySink

__all__ = [
    "ConsoleSink",
    "DevNullSink",
    "FileSink",
    "ImageFileSink",
    "MemorySink",
    "MetadataFileSink",
    "VideoFileSink",
    "open_sink",
]
