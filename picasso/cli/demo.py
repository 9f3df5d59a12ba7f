"""``picasso demo``: three real clips at once, found, numbered, drawn on and encoded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from picasso.cli.showcase.show import Result


def demo(
    *,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for what the demo makes.")] = Path("picasso-demo"),
    seconds: Annotated[
        float | None, typer.Option(min=0.04, help="Show only so much of each clip; all of it by default.")
    ] = None,
    realtime: Annotated[
        bool, typer.Option("--realtime", help="Play at the clips' own pace and drop what comes too fast, as a camera.")
    ] = False,
    reproducible: Annotated[
        bool, typer.Option("--reproducible", help="Draw no measured figures, so that every run makes the same files.")
    ] = False,
    sheet_width: Annotated[int, typer.Option(min=320, max=4096, help="Width of the contact sheet in pixels.")] = 960,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
) -> None:
    """Run three real clips through one engine and look at what comes out.

    Moving things, grey things and faces are found by OpenCV, numbered by a tracker, drawn on (faces are blurred) and
    encoded to H.264, HEVC and AV1, a file a source, with their boxes in source pixels in an NDJSON file beside it.
    A contact sheet shows them all. Needs the package's extra 'demo'.
    """
    from picasso.cli.console import progress, results
    from picasso.cli.progress import open_progress
    from picasso.cli.showcase.show import SHEET, Options, show

    options = Options(seconds, realtime=realtime, reproducible=reproducible, sheet_width=sheet_width)
    made = show(out, options, open_progress(progress(), quiet=quiet))
    console = results()
    console.print(_table(made))
    written = [path.name for one in made if one.outcome.failure is None for path in (one.video, one.metadata)]
    if len(written) == 2 * len(made):
        written.append(SHEET)
    console.print(f"In {out}: {', '.join(written)}", markup=False)
    for one in made:
        if one.outcome.failure is not None:
            one.outcome.failure.add_note(f"while playing {one.outcome.source_id}")
            raise one.outcome.failure


def _table(made: Sequence[Result]) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("source", "codec", "size"):
        table.add_column(heading)
    for heading in ("frames", "dropped", "frames/s", "p50 ms", "p99 ms", "kB"):
        table.add_column(heading, justify="right")
    for one in made:
        outcome, (width, height) = one.outcome, one.act.target_wh
        table.add_row(
            outcome.source_id,
            one.act.codec.name(),
            f"{width}x{height}",
            f"{outcome.delivered}",
            f"{outcome.dropped}",
            f"{outcome.frames_per_s:.1f}",
            f"{outcome.p50_ms:.1f}",
            f"{outcome.p99_ms:.1f}",
            f"{one.video_bytes / 1000:.0f}",
        )
    return table
