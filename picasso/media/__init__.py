"""Files, cameras and wires on one side, frames on the other."""

from picasso.media.examination import Damage, Examination, examine
from picasso.media.images import ImageSequenceWriter
from picasso.media.info import AudioInfo, MediaInfo
from picasso.media.metadata import MetadataReader, MetadataWriter
from picasso.media.names import safe_file_name
from picasso.media.packets import StreamKind
from picasso.media.reader import VideoReader, probe
from picasso.media.stopping import StopSignal
from picasso.media.times import TimesReport
from picasso.media.writer import StreamWriter

__all__ = [
    "AudioInfo",
    "Damage",
    "Examination",
    "ImageSequenceWriter",
    "MediaInfo",
    "MetadataReader",
    "MetadataWriter",
    "StopSignal",
    "StreamKind",
    "StreamWriter",
    "TimesReport",
    "VideoReader",
    "examine",
    "probe",
    "safe_file_name",
]
