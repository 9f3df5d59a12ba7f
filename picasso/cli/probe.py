"""``picasso probe``: what a file holds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, Final, NoReturn

import typer

from picasso.cli import arguments

if TYPE_CHECKING:
    from rich.table import Table

    from picasso.media import Examination, MediaInfo
    from picasso.media.location import Trust

_TOLD: Final = 3
"""Places of damage that the error names."""


def probe(
    file: Annotated[str, typer.Argument(metavar="IN", help="A video file, a URL, or - for standard input.")],
    *,
    decode: Annotated[
        bool, typer.Option("--decode", help="Decode every frame: count them, look at their times, find damage.")
    ] = False,
    trust: Annotated[str, arguments.TRUST] = "origin",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say what the first video stream of a file is: container, codec, size, rate, colour.

    With --decode, damage is found and told with its place, and ends with 1: packets that are incomplete or cannot be
    decoded, errors that the decoder conceals, holes in time, an end before that of the header.
    """
    from picasso import media
    from picasso.cli.console import results

    trusted: Trust = "any" if trust == "any" else "origin"
    examination = None
    if decode:
        examination = media.examine(file, trust=trusted)  # once: a pipe has no second time
        facts = _facts(examination.info) | _decoded_facts(examination)
    else:
        facts = _facts(media.probe(file, trust=trusted))
    if as_json:
        print(json.dumps(facts, indent=2))
    else:
        results().print(_table(facts))
    if examination is not None and examination.damage:
        _refuse(examination)


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


def _decoded_facts(examination: Examination) -> dict[str, Any]:
    """What was found by decoding, as plain values; the places of damage are in the order of frames."""
    times = examination.times
    return {
        "decoded_frames": examination.frames,
        "keyframes": examination.keyframes,
        "decoded_end_s": examination.end_ns / 1e9,
        "times_rise": examination.times_rise,
        "times_restarted": times.restarts,
        "times_made": times.made,
        "times_moved": times.moved,
        "damage": [
            {"frame": damage.frame, "time_s": damage.pts_ns / 1e9, "what": damage.what} for damage in examination.damage
        ],
    }


def _refuse(examination: Examination) -> NoReturn:
    """Name the first places of damage, and how many there are.

    Raises:
        MediaError: Always.
    """
    damage = examination.damage
    told = [f"frame {each.frame} at {each.pts_ns / 1e9:.3f} s: {each.what}" for each in damage[:_TOLD]]
    more = f"; and {len(damage) - _TOLD} more" if len(damage) > _TOLD else ""
    from picasso.errors import MediaError

    raise MediaError(f"{examination.info.location}: damaged: {'; '.join(told)}{more}")


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
    if isinstance(value, list) and isinstance(value[0], dict):
        return "\n".join(map(_shown_dict, value))
    if isinstance(value, list):
        return ("x" if all(isinstance(part, int) for part in value) else ", ").join(map(_shown, value))
    return str(value)


def _shown_dict(value: dict[str, Any]) -> str:
    """A place of damage, or an audio stream, in one line."""
    if "what" in value:
        return f"frame {value['frame']} at {value['time_s']:.3f} s: {value['what']}"
    rate, channels = value["sample_rate_hz"], value["channels"]
    parts = [value["codec"], rate and f"{rate} Hz", channels and f"{channels} channels", value["language"]]
    return " ".join(part for part in parts if part)
