"""Files, cameras and wires on one side, frames on the other."""

from picasso.media.examination import Damage, Examination, examine
from picasso.media.images import ImageSequenceWriter
from picasso.media.info import AudioInfo, MediaInfo
from picasso.media.metadata import MetadataReader, MetadataWriter
from picasso.media.names import safe_file_name
from picasso.media.packets import StreamKind
from picasso.media.probing import probe
from picasso.media.random_access import Frames, NotIndexableError
from picasso.media.reader import VideoReader
from picasso.media.stills import read_image, read_images
from picasso.media.stopping import StopSignal
from picasso.media.times import TimesReport
from picasso.media.writer import StreamWriter
from picasso.primitives.field_texts import explain_fields as _explain_fields

__all__ = [
    "AudioInfo",
    "Damage",
    "Examination",
    "Frames",
    "ImageSequenceWriter",
    "MediaInfo",
    "MetadataReader",
    "MetadataWriter",
    "NotIndexableError",
    "StopSignal",
    "StreamKind",
    "StreamWriter",
    "TimesReport",
    "VideoReader",
    "examine",
    "probe",
    "read_image",
    "read_images",
    "safe_file_name",
]

_explain_fields(globals())
