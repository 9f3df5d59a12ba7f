"""What is measured together."""

from __future__ import annotations

from collections.abc import Iterable

from scripts import Case
from workloads import WORKLOADS

PEERS = (
    "encode_only",
    "picasso",
    "opencv_tuned",
    "opencv_plain",
    "supervision",
    "filter_graph",
    "ffmpeg",
    "gstreamer",
    "gstreamer_drawing",
)
FAST_SWITCH_S = 0.0005


def _one_source(peers: Iterable[str] = PEERS, workloads: Iterable[str] = WORKLOADS) -> list[Case]:
    return [Case(peer, name) for name in workloads for peer in peers]


SUITES: dict[str, list[Case]] = {
    "one": _one_source(),
    "floor": _one_source(("encode_only", "picasso")),
    "quick": _one_source(("encode_only", "picasso", "opencv_tuned"), ("W1",)),
    "veryfast": [Case(peer, preset="veryfast") for peer in ("encode_only", "picasso", "opencv_tuned", "gstreamer")],
    "many": [
        *[Case("picasso", name, sources=count) for name in ("W1", "W2") for count in (1, 4, 16)],
        *[Case(peer, "W2", sources=16) for peer in ("encode_only", "opencv_tuned", "gstreamer")],
    ],
    "files": [Case(peer, "W3") for peer in ("file_floor", "file_picasso", "file_ffmpeg")],
    "permits": [Case("picasso", name, sources=16, computing=n) for name in ("W1", "W2") for n in (1, 2, 3, 4, 16)],
    "busy": [
        Case(peer, sources=count, spin=spin, switch_s=switch_s)
        for count in (1,)
        for peer in ("encode_only", "picasso", "opencv_tuned")
        for spin, switch_s in ((0, FAST_SWITCH_S), (1, FAST_SWITCH_S), (1, 0.005))
    ],
}
SUITES["all"] = [case for name in ("one", "veryfast", "many", "busy", "files") for case in SUITES[name]]
