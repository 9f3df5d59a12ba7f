"""The demo itself: opens the acts, runs them through one engine, and sums up what was written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from picasso.cli.excerpt import Excerpt
from picasso.cli.progress import Progress
from picasso.cli.rehearsal import rehearse
from picasso.cli.run import Frames, Job, run
from picasso.cli.showcase.acts import ACTS, Act, Annotator
from picasso.cli.showcase.clips import clip_path
from picasso.cli.showcase.contact_sheet import Row, write_contact_sheet
from picasso.cli.showcase.detect import cv2
from picasso.cli.showcase.overlay import Overlay
from picasso.draw.skia_library import FIX
from picasso.errors import MediaError, MissingDependencyError
from picasso.flow import SourceStatus
from picasso.media import MetadataWriter, StreamWriter

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
    outcome: SourceStatus
    video: Path
    """Its encoded frames."""
    metadata: Path
    """Its frames and objects, boxes in source pixels, one line a frame."""

    @property
    def video_bytes(self) -> int:
        """Size of the video file; 0 when the act failed or no frame came out, for then it is that of a run before."""
        is_new = self.outcome.failure is None and self.outcome.delivered > 0
        return self.video.stat().st_size if is_new else 0


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
    overlays = _overlays(options, progress)
    with ExitStack() as opened:
        jobs = []
        for act in ACTS:
            jobs.append(open_act(act, out, options, overlay=overlays is not None))
            for file in jobs[-1].files:
                opened.callback(file.abandon)
        opened.pop_all()
    first, overlay = overlays or (None, None)
    rehearse(jobs, progress, on_render=first)
    outcomes = run(jobs, progress, on_render=overlay)
    results = [Result(act, outcome, *_paths(act, out)) for act, outcome in zip(ACTS, outcomes, strict=True)]
    if any(outcome.failure is not None for outcome in outcomes):
        return results  # the sheet of a run before stays
    rows = [Row(result.video, result.outcome.delivered, result.act.sheet_columns) for result in results]
    write_contact_sheet(rows, out / SHEET, width=options.sheet_width)
    return results


def _overlays(options: Options, progress: Progress) -> tuple[Overlay, Overlay] | None:
    """Return the overlays of the rehearsal and of the run; None, with a note, where there is no Skia to draw them."""
    try:
        return Overlay(), Overlay(reproducible=options.reproducible)
    except MissingDependencyError:
        progress.note(f"Plays without the overlay: Skia does not load ({FIX}).")
        return None


def open_act(act: Act, out: Path, options: Options, *, overlay: bool = True) -> Job:
    """Set an act up from its clip to its files, which are created."""
    clip = clip_path(act.clip)

    def excerpt() -> Excerpt:
        return Excerpt(str(clip), act.source_id, options.seconds, paced=options.realtime)

    @contextmanager
    def play() -> Iterator[Frames]:
        with excerpt() as opened, opened.open() as frames:
            yield frames

    with excerpt() as opened:
        rate, total = opened.info.frame_rate or Fraction(25), opened.frame_count
    video, metadata = _paths(act, out)
    for path in (video, metadata, out / SHEET):
        if path.exists() and path.samefile(clip):
            raise MediaError(f"{path}: is read and written at once")
    return Job(
        act.source_id,
        act.source_spec(rate, drops=options.realtime, overlay=overlay),
        play,
        files=[StreamWriter(video), MetadataWriter(metadata, space="source")],
        annotate=Annotator(act),
        src_rect=act.src_rect,
        total=total,
    )


def _paths(act: Act, out: Path) -> tuple[Path, Path]:
    return out / f"{act.source_id}.mp4", out / f"{act.source_id}.ndjson"
