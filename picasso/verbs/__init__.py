"""One call for what is asked for most: a video with something done to each frame, tracked, compared, as a GIF."""

from picasso.primitives.field_texts import explain_fields as _explain_fields
from picasso.verbs.compare import Comparison, compare_videos
from picasso.verbs.gif import write_gif
from picasso.verbs.parts import beside_each_other, crop_video
from picasso.verbs.process import process_video
from picasso.verbs.sheet import contact_sheet
from picasso.verbs.track import TrackedVideo, track_video
from picasso.verbs.writing import write_video

__all__ = [
    "Comparison",
    "TrackedVideo",
    "beside_each_other",
    "compare_videos",
    "contact_sheet",
    "crop_video",
    "process_video",
    "track_video",
    "write_gif",
    "write_video",
]

_explain_fields(globals())
