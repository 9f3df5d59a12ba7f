"""Which object of a frame is which of the frames before: trackers behind one protocol, one for each source."""

from picasso.track.coasting import CoastingTracker, Predicted
from picasso.track.iou import IouTracker
from picasso.track.opening import TRACKERS, open_tracker
from picasso.track.protocol import UNTRACKED, Tracker

__all__ = ["TRACKERS", "UNTRACKED", "CoastingTracker", "IouTracker", "Predicted", "Tracker", "open_tracker"]
