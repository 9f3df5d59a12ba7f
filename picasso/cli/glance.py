"""``picasso sheet``, ``gif``, ``crop``, ``compare`` and ``track``: one call for what is asked for most."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from picasso.cli import arguments
from picasso.cli.counting import Quiet, counting

T = TypeVar("T")
SOURCE = typer.Argument(metavar="FILE", help="A video.")
VIDEOS = (".mp4", ".mov", ".mkv")
TRACKERS = ("iou", "sort", "bytetrack", "ocsort")


def sheet(
    source: Annotated[str, SOURCE],
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="A .png or .jpg.")] = Path("sheet.png"),
    columns: Annotated[int, typer.Option(min=1, help="Pictures beside each other.")] = 4,
    rows: Annotated[int, typer.Option(min=1, help="Pictures below each other.")] = 4,
    width: Annotated[int, typer.Option(min=64, max=16384, help="Of the sheet, in pixels.")] = 1280,
    quiet: Quiet = False,
) -> None:
    """Write a contact sheet: frames that are spread evenly over a video, as one picture."""
    from picasso.verbs import contact_sheet

    _check(output, source, suffixes=(".png", ".jpg", ".jpeg"), kind="image format")
    with counting(source, quiet=quiet) as count:
        made = _usage(lambda: contact_sheet(source, columns=columns, rows=rows, width=width, on_progress=count))
    _usage(lambda: made.save(output))
    _say(f"{output}: {made.width}x{made.height}, {columns} x {rows} pictures", quiet)


def gif(
    source: Annotated[str, SOURCE],
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="A .gif.")] = Path("out.gif"),
    start: Annotated[float | None, typer.Option(min=0, help="Where to begin, in seconds.")] = None,
    end: Annotated[float | None, typer.Option(min=0, help="Where to end, in seconds.")] = None,
    fps: Annotated[float, typer.Option(help="Pictures a second, at most 50.")] = 10.0,
    width: Annotated[int, typer.Option(min=16, max=4096, help="In pixels; the height follows.")] = 480,
    quiet: Quiet = False,
) -> None:
    """Write a part of a video as an animated GIF."""
    from picasso.verbs import write_gif

    span = {"start_s": start, "end_s": end}
    with counting(source, quiet=quiet) as count:
        made = _usage(lambda: write_gif(source, output, **span, fps=fps, width=width, on_progress=count))
    _say(f"{output}: {made} pictures", quiet)


def crop(
    source: Annotated[str, SOURCE],
    rectangle: Annotated[
        arguments.Rectangle,
        typer.Argument(parser=arguments.rectangle, metavar="LEFT,TOP,WIDTH,HEIGHT", help="In pixels."),
    ],
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="A .mp4, .mov or .mkv.")] = Path("cropped.mp4"),
    audio: Annotated[bool, typer.Option("--audio/--no-audio", help="Copy the sound of the source.")] = True,
    quiet: Quiet = False,
) -> None:
    """Write a rectangle of a video as a video; it grows to even sides."""
    from picasso.verbs import crop_video

    _check(output, source, suffixes=VIDEOS)
    left, top = rectangle.left, rectangle.top
    corners = (left, top, left + rectangle.width, top + rectangle.height)
    with counting(source, quiet=quiet) as count:
        frames = _usage(lambda: crop_video(source, output, corners, audio=audio, on_progress=count))
    _say(f"{output}: {frames} frames", quiet)


def compare(
    first: Annotated[str, typer.Argument(metavar="FIRST", help="A video.")],
    second: Annotated[str, typer.Argument(metavar="SECOND", help="Another one, such as the first encoded again.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one object of JSON.")] = False,
    side_by_side: Annotated[
        Path | None, typer.Option("--side-by-side", help="Write both beside each other, as .mp4, .mov or .mkv.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print no progress.")] = False,
) -> None:
    """Say how much two videos differ: PSNR and SSIM of luma, and the frame that differs most."""
    from picasso.verbs import beside_each_other, compare_videos
    from picasso.verbs.places import check_read_twice

    if side_by_side is not None:
        _check(side_by_side, first, second, suffixes=VIDEOS)
        for one in (first, second):
            _usage(lambda one=one: check_read_twice("--side-by-side", one))  # type: ignore[misc]
    with counting("compared", quiet=quiet or as_json) as count:
        found = compare_videos(first, second, on_progress=count)
    if as_json:
        print(json.dumps({**dataclasses.asdict(found), "psnr_db": str(found.psnr_db)}))
    else:
        print(f"{found.frames} frames: PSNR {found.psnr_db:.2f} dB, SSIM {found.ssim:.4f}")
        print(f"worst: frame {found.worst_frame}, SSIM {found.worst_ssim:.4f}")
        if any(found.left_over):
            print(f"left over: {found.left_over[0]} frames of {first}, {found.left_over[1]} of {second}")
    if side_by_side is not None:
        with counting("written", quiet=quiet or as_json) as count:
            frames = beside_each_other(first, second, side_by_side, on_progress=count)
        _say(f"{side_by_side}: {frames} frames", quiet or as_json)


def track(
    source: Annotated[str, SOURCE],
    *,
    model: Annotated[
        str, typer.Option("--model", "-m", help="An ONNX file: YOLO v5 to v12, RT-DETR, DETR, SSD and others.")
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The drawn video: a .mp4, .mov or .mkv; tracked.mp4 without --objects."),
    ] = None,
    objects: Annotated[
        Path | None,
        typer.Option(help="The objects: a .txt for lines of the MOT challenge, a .ndjson for a frame a line."),
    ] = None,
    tracker: Annotated[
        str, typer.Option(parser=arguments.one_of(TRACKERS, "tracker"), help=f"{', '.join(TRACKERS)}.")
    ] = "iou",
    confidence: Annotated[float, typer.Option(min=0, max=1, help="Of an object, at least.")] = 0.25,
    classes: Annotated[
        list[str] | None, typer.Option("--class", metavar="LABEL", help="Only these; may be repeated.")
    ] = None,
    labels: Annotated[
        Path | None, typer.Option(help="Names of the classes, one a line, if the model does not say them.")
    ] = None,
    every: Annotated[int, typer.Option(min=1, help="Look for objects in each N-th frame only.")] = 1,
    start: Annotated[float | None, typer.Option(min=0, help="Where to begin, in seconds.")] = None,
    end: Annotated[float | None, typer.Option(min=0, help="Where to end, in seconds.")] = None,
    provider: Annotated[str, typer.Option(help="Who computes: auto, cpu, cuda or tensorrt.")] = "auto",
    audio: Annotated[bool, typer.Option("--audio/--no-audio", help="Copy the sound of the source.")] = True,
    quiet: Quiet = False,
) -> None:
    """Find and follow the objects of a video: a drawn video, lines for each object, or both."""
    from picasso.infer import Detector
    from picasso.verbs import track_video

    if output is None and objects is None:
        output = Path("tracked.mp4")
    if output is not None:
        _check(output, source, model, suffixes=VIDEOS)
    if objects is not None:
        _check(objects, source, model)
    detect = _usage(
        lambda: Detector(model, confidence=confidence, labels=labels, classes=classes or None, provider=provider)
    )
    options: dict[str, Any] = {"audio": audio} if output is not None else {}
    with counting(source, quiet=quiet) as count:
        found = _usage(
            lambda: track_video(
                source,
                output,
                detect,
                tracker=tracker,
                objects=objects,
                every=every,
                start_s=start,
                end_s=end,
                on_progress=count,
                **options,
            )
        )
    where = " and ".join(str(written) for written in (output, objects) if written is not None)
    _say(f"{where}: {found.frames} frames, {found.tracks} tracks, {found.boxes} boxes", quiet)


def _check(output: Path, *sources: str, suffixes: tuple[str, ...] = (), kind: str = "container") -> None:
    """Find out before any work that an output is an input, or a file with a suffix that its kind does not have."""
    from picasso.media.location import output_place
    from picasso.verbs.places import check_apart

    if suffixes and output.suffix.lower() not in suffixes and not output_place(output).is_direct:
        raise typer.BadParameter(f"{output}: unknown {kind} {output.suffix!r}; one of {', '.join(suffixes)}")
    _usage(lambda: check_apart(output, *sources))


def _say(sentence: str, quiet: bool) -> None:
    if not quiet:
        print(sentence)


def _usage(call: Callable[[], T]) -> T:
    """Call, and take a ``ValueError`` for a complaint about the arguments."""
    try:
        return call()
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
