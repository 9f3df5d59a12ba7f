"""``picasso probe``: what a file holds."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from picasso.cli import arguments

if TYPE_CHECKING:
    from rich.table import Table

    from picasso.media import MediaInfo, VideoReader


def probe(
    file: Annotated[str, typer.Argument(metavar="IN", help="A video file, a URL, or - for standard input.")],
    *,
    decode: Annotated[
        bool, typer.Option("--decode", help="Decode every frame: count them, and see whether their times rise.")
    ] = False,
    trust: Annotated[str, arguments.TRUST] = "origin",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say what the first video stream of a file is: container, codec, size, rate, colour.

    With --decode, a file that breaks off or whose packets are damaged is found out; it is an error that ends with 1.
    """
    from picasso import media
    from picasso.cli.console import results

    with media.VideoReader(
        file, trust="any" if trust == "any" else "origin"
    ) as reader:  # once: a pipe has no second time
        facts = _facts(reader.info)
        if decode:
            facts |= _decoded_facts(reader)
    if as_json:
        print(json.dumps(facts, indent=2))
    else:
        results().print(_table(facts))


def _facts(info: MediaInfo) -> dict[str, Any]:
    """The description as plain values: times in seconds, rates as numbers, None where the file does not tell."""
    return {
        "file": info.location,
        "container": info.container,
        "codec": info.codec,
        "width": info.width,
        "height": info.height,
        "sample_aspect_ratio": "{}:{}".format(*info.sample_aspect_ratio.as_integer_ratio()),
        "display_size_wh": list(info.display_size_wh),
        "rotation_deg": info.rotation_deg,
        "mirrored": info.orientation is not None and info.orientation.mirrored,
        "field_order": info.field_order,
        "pixel_format": info.pixel_format,
        "bit_depth": info.bit_depth,
        "color_matrix": info.color.matrix.name if info.color else info.color_matrix,
        "full_range": info.color and info.color.full_range,
        "color_transfer": info.color_transfer,
        "color_primaries": info.color_primaries,
        "hdr": info.is_hdr,
        "frames_per_s": info.frame_rate and float(info.frame_rate),
        "frames": info.frame_count,
        "start_s": info.start_ns / 1e9,
        "duration_s": None if info.duration_ns is None else info.duration_ns / 1e9,
        "bits_per_s": info.bit_rate,
        "audio": [
            {name: getattr(audio, name) for name in ("codec", "sample_rate_hz", "channels", "language")}
            for audio in info.audio
        ],
    }


def _decoded_facts(reader: VideoReader) -> dict[str, Any]:
    """Decode the stream to its end.

    Raises:
        MediaError: It breaks off, or some packets cannot be decoded.
    """
    from picasso.errors import MediaError

    seen = [(frame.pts, bool(frame.keyframe)) for frame, _surface in reader.frames()]
    if reader.skipped:
        place = reader.info.location
        raise MediaError(f"{place}: {reader.skipped} packets cannot be decoded, {len(seen)} frames can")
    rising = all(before < after for (before, _), (after, _) in itertools.pairwise(seen))
    return {"decoded_frames": len(seen), "keyframes": sum(key for _, key in seen), "times_rise": rising}


def _table(facts: dict[str, Any]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", min_width=14)
    table.add_column(overflow="fold")
    for name, value in facts.items():
        if value not in (None, []):
            table.add_row(name.replace("_", " "), Text(_shown(value)))
    return table


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, dict):  # an audio stream
        rate, channels = value["sample_rate_hz"], value["channels"]
        parts = [value["codec"], rate and f"{rate} Hz", channels and f"{channels} channels", value["language"]]
        return " ".join(part for part in parts if part)
    if isinstance(value, list):
        return ("x" if all(isinstance(part, int) for part in value) else ", ").join(map(_shown, value))
    return str(value)
