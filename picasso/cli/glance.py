"""``picasso sheet``, ``gif``, ``crop`` and ``compare``: one call for what is asked for most."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from picasso.cli import arguments
from picasso.cli.console import progress

T = TypeVar("T")
SOURCE = typer.Argument(metavar="FILE", help="A video.")


def sheet(
    source: Annotated[str, SOURCE],
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="A .png or .jpg.")] = Path("sheet.png"),
    columns: Annotated[int, typer.Option(min=1, help="Pictures beside each other.")] = 4,
    rows: Annotated[int, typer.Option(min=1, help="Pictures below each other.")] = 4,
    width: Annotated[int, typer.Option(min=64, max=16384, help="Of the sheet, in pixels.")] = 1280,
) -> None:
    """Write a contact sheet: frames that are spread evenly over a video, as one picture."""
    from picasso.verbs import contact_sheet

    made = _usage(lambda: contact_sheet(source, columns=columns, rows=rows, width=width))
    _usage(lambda: made.save(output))
    print(f"{output}: {made.width}x{made.height}, {columns} x {rows} pictures")


def gif(
    source: Annotated[str, SOURCE],
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="A .gif.")] = Path("out.gif"),
    start: Annotated[float | None, typer.Option(min=0, help="Where to begin, in seconds.")] = None,
    end: Annotated[float | None, typer.Option(min=0, help="Where to end, in seconds.")] = None,
    fps: Annotated[float, typer.Option(help="Pictures a second, at most 50.")] = 10.0,
    width: Annotated[int, typer.Option(min=16, max=4096, help="In pixels; the height follows.")] = 480,
) -> None:
    """Write a part of a video as an animated GIF."""
    from picasso.verbs import write_gif

    count = _usage(lambda: write_gif(source, output, start_s=start, end_s=end, fps=fps, width=width))
    print(f"{output}: {count} pictures")


def crop(
    source: Annotated[str, SOURCE],
    rectangle: Annotated[
        arguments.Rectangle,
        typer.Argument(parser=arguments.rectangle, metavar="LEFT,TOP,WIDTH,HEIGHT", help="In pixels."),
    ],
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="A .mp4, .mov or .mkv.")] = Path("cropped.mp4"),
) -> None:
    """Write a rectangle of a video as a video; it grows to even sides."""
    from picasso.verbs import crop_video

    left, top = rectangle.left, rectangle.top
    corners = (left, top, left + rectangle.width, top + rectangle.height)
    console = progress()
    with console.status("") as status:
        count = crop_video(source, output, corners, on_progress=lambda now, all_: status.update(f"{now} of {all_}"))
    print(f"{output}: {count} frames")


def compare(
    first: Annotated[str, typer.Argument(metavar="FIRST", help="A video.")],
    second: Annotated[str, typer.Argument(metavar="SECOND", help="Another one, such as the first encoded again.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one object of JSON.")] = False,
    side_by_side: Annotated[
        Path | None, typer.Option("--side-by-side", help="Write both beside each other, as .mp4, .mov or .mkv.")
    ] = None,
) -> None:
    """Say how much two videos differ: PSNR and SSIM of luma, and the frame that differs most."""
    from picasso.verbs import beside_each_other, compare_videos

    found = compare_videos(first, second)
    if as_json:
        print(json.dumps({**dataclasses.asdict(found), "psnr_db": str(found.psnr_db)}))
    else:
        print(f"{found.frames} frames: PSNR {found.psnr_db:.2f} dB, SSIM {found.ssim:.4f}")
        print(f"worst: frame {found.worst_frame}, SSIM {found.worst_ssim:.4f}")
        if any(found.left_over):
            print(f"left over: {found.left_over[0]} frames of {first}, {found.left_over[1]} of {second}")
    if side_by_side is not None:
        print(f"{side_by_side}: {beside_each_other(first, second, side_by_side)} frames")


def _usage(call: Callable[[], T]) -> T:
    """Call, and take a ``ValueError`` for a complaint about the arguments."""
    try:
        return call()
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
