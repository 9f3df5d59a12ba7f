"""What is measured together."""

from __future__ import annotations

from collections.abc import Iterable

from scripts import Case
from workloads import WORKLOADS

FLOOR = "encode_only"
PEERS = (
    FLOOR,
    "picasso",
    "opencv_tuned",
    "opencv_plain",
    "supervision",
    "filter_graph",
    "ffmpeg",
    "gstreamer",
    "gstreamer_drawing",
)
CROWD = (FLOOR, "picasso", "opencv_tuned", "gstreamer")
LARGEST_CROWD = (*CROWD, "supervision", "ffmpeg")
CROWDS = {4: CROWD, 16: LARGEST_CROWD}
"""Numbers of sources, and who is measured with them."""
FAST_SWITCH_S, SWITCH_S = 0.0005, 0.005
CROWD_S = 4.0
"""Long enough that one frame more or less of a source among 16 is below a hundredth."""


def _one_source(peers: Iterable[str] = PEERS, workloads: Iterable[str] = WORKLOADS) -> list[Case]:
    return [Case(peer, name) for name in workloads for peer in peers]


SUITES: dict[str, list[Case]] = {
    "one": _one_source(),
    "floor": _one_source((FLOOR, "picasso")),
    "quick": _one_source((FLOOR, "picasso", "opencv_tuned"), ("W1",)),
    "veryfast": [
        Case(peer, preset="veryfast")
        for peer in (FLOOR, "picasso", "opencv_tuned", "supervision", "ffmpeg", "gstreamer")
    ],
    "many": [
        Case(peer, name, sources=count, seconds=CROWD_S)
        for name in ("W1", "W2")
        for count, peers in CROWDS.items()
        for peer in peers
    ],
    "busy": [
        Case(peer, spin=spin, switch_s=switch_s)
        for peer in (FLOOR, "picasso", "opencv_tuned", "supervision")
        for spin, switch_s in ((0, FAST_SWITCH_S), (1, FAST_SWITCH_S), (1, SWITCH_S))
    ],
    "files": [Case(peer, "W3") for peer in ("file_floor", "file_picasso", "file_ffmpeg")],
}
SUITES["all"] = [case for name in ("one", "veryfast", "many", "busy", "files") for case in SUITES[name]]
