"""The demo itself: opens the acts, runs them through one engine, and sums up what was written."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from picasso.cli.excerpt import Excerpt
from picasso.cli.progress import Progress
from picasso.cli.rehearsal import rehearse
from picasso.cli.showcase.acts import ACTS, Act, Annotator
from picasso.cli.showcase.clips import clip_path
from picasso.cli.showcase.contact_sheet import Row, write_contact_sheet
from picasso.cli.showcase.detect import cv2
from picasso.cli.showcase.overlay import Overlay
from picasso.cli.streams import Outcome, Stream, run
from picasso.media import MetadataWriter, StreamWriter, probe

SHEET = "contact-sheet.png"


@dataclass(frozen=True, slots=True)
class Options:
    """How the demo is played."""

    seconds: float | None = None
    """How much of each clip; None for all."""
    realtime: bool = False
    """Whether frames come at the clips' own pace, and are dropped when they come too fast."""
    reproducible: bool = False
    """Whether nothing measured is drawn."""
    sheet_width: int = 960
    """Of the contact sheet, pixels."""


@dataclass(frozen=True, slots=True)
class Result:
    """One act after the show."""

    act: Act
    outcome: Outcome
    video: Path
    """Its encoded frames."""
    metadata: Path
    """Its frames and objects, boxes in source pixels, one line a frame."""

    @property
    def video_bytes(self) -> int:
        """Size of the video file; 0 when no frame came out, for then there is none."""
        return self.video.stat().st_size if self.video.exists() else 0


def show(out: Path, options: Options, progress: Progress) -> list[Result]:
    """Play all acts at once and write their files, then the contact sheet, into a folder.

    Raises:
        MissingDependencyError: The demo extra is not installed.
        OSError: The folder cannot be written.
    """
    cv2.setNumThreads(1)  # the sources themselves keep the cores busy
    for act in ACTS:
        clip_path(act.clip)  # before anything is made
    out.mkdir(parents=True, exist_ok=True)
    streams = [open_stream(act, out, options) for act in ACTS]
    rehearse(streams, progress, on_render=Overlay())
    outcomes = run(streams, progress, on_render=Overlay(reproducible=options.reproducible))
    results = [Result(act, outcome, *_paths(act, out)) for act, outcome in zip(ACTS, outcomes, strict=True)]
    rows = [Row(result.video, result.outcome.delivered, result.act.sheet_columns) for result in results]
    write_contact_sheet(rows, out / SHEET, width=options.sheet_width)
    return results


def open_stream(act: Act, out: Path, options: Options) -> Stream:
    """Set an act up from its clip to its files, which are created."""
    clip = clip_path(act.clip)
    info = probe(clip)
    rate = info.frame_rate or Fraction(25)
    video, metadata = _paths(act, out)
    excerpt = Excerpt(str(clip), act.source_id, options.seconds, paced=options.realtime)
    return Stream(
        act.source_id,
        act.source_spec(rate, drops=options.realtime),
        excerpt.open,
        sinks=[StreamWriter(video), MetadataWriter(metadata, space="source")],
        annotate=Annotator(act),
        src_rect=act.src_rect,
        total=excerpt.frame_count(info),
    )


def _paths(act: Act, out: Path) -> tuple[Path, Path]:
    return out / f"{act.source_id}.mp4", out / f"{act.source_id}.ndjson"
