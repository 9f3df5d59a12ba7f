"""``picasso encode``: one file, cropped, scaled, letterboxed, drawn on, encoded."""

from __future__ import annotations

from typing import Annotated

import typer

from picasso.cli import arguments

_CODECS = ("h264", "hevc", "av1", "jpeg", "png")
_POLICIES = ("continue", "segment", "reset")
_PADDINGS = ("symmetric", "right-bottom", "none")
_FILTERS = ("bilinear", "area", "nearest", "cubic", "lanczos")


def encode(
    source: Annotated[str, typer.Argument(metavar="IN", help="A video file, a URL, or - for standard input.")],
    out: Annotated[
        str,
        typer.Option("--out", "-o", help="File to write: .mp4, .mov or .mkv; a folder for jpeg and png; - for stdout."),
    ],
    *,
    size: Annotated[
        arguments.Size | None,
        typer.Option(
            parser=arguments.size,
            metavar="WxH",
            help="Of the encoded picture; by default that of the crop, in square pixels.",
        ),
    ] = None,
    crop: Annotated[
        arguments.Rectangle | None,
        typer.Option(
            parser=arguments.rectangle,
            metavar="L,T,W,H",
            help="What to take of each upright frame; all by default.",
        ),
    ] = None,
    padding: Annotated[
        str,
        typer.Option(parser=arguments.one_of(_PADDINGS, "padding"), help=f"{', '.join(_PADDINGS)} (stretches)."),
    ] = "symmetric",
    inset: Annotated[
        arguments.Inset | None,
        typer.Option(parser=arguments.inset, metavar="N|L,T,R,B", help="Pixels kept black at the edges."),
    ] = None,
    resample: Annotated[
        str,
        typer.Option(
            "--filter", parser=arguments.one_of(_FILTERS, "filter"), help=f"{', '.join(_FILTERS)}; area for shrinking."
        ),
    ] = "bilinear",
    codec: Annotated[
        str, typer.Option(parser=arguments.one_of(_CODECS, "codec"), help=f"{', '.join(_CODECS)}.")
    ] = "h264",
    crf: Annotated[
        float | None,
        typer.Option(
            metavar="N",
            help="Constant quality, from best to worst: h264 1..51 (by default 23), hevc 0..51 (24), av1 1..63 (32).",
        ),
    ] = None,
    bitrate: Annotated[
        int | None,
        typer.Option(
            parser=arguments.bit_rate, metavar="BITS", help="Bits per second instead of a quality, e.g. 800k or 4M."
        ),
    ] = None,
    quality: Annotated[
        int | None, typer.Option(min=0, max=100, help="Of jpeg, from 0 (smallest) to 100 (best); 85 by default.")
    ] = None,
    preset: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=7,
            help="Effort of h264 (by default 3), hevc (2) and av1 (5): 1 is the fastest, 7 the slowest. "
            "x264 and x265: ultrafast, superfast, veryfast, faster, fast, medium, slow; SVT-AV1: 12 to 6.",
        ),
    ] = None,
    draw: Annotated[
        str | None,
        typer.Option(help="NDJSON file of detections to draw, one frame a line, boxes in source pixels; - for stdin."),
    ] = None,
    blur: Annotated[
        list[str] | None, typer.Option(metavar="LABEL", help="Label whose objects are blurred; may be repeated.")
    ] = None,
    metadata: Annotated[
        str | None, typer.Option(help="NDJSON file to write: each frame and its boxes, in source pixels.")
    ] = None,
    fragment: Annotated[
        bool, typer.Option("--fragment/--no-fragment", help="Whether an MP4 file plays while it is written.")
    ] = True,
    fsync: Annotated[
        bool, typer.Option("--fsync", help="Wait for the disk after each fragment, so that a power cut costs no more.")
    ] = False,
    raw_geometry: Annotated[
        bool,
        typer.Option("--raw-geometry", help="Leave pictures as stored: no rotation, no mirror, no shape of a pixel."),
    ] = False,
    tone_map: Annotated[
        bool, typer.Option("--tone-map/--no-tone-map", help="Bring PQ, HLG and BT.2020 to BT.709; so by default.")
    ] = True,
    audio: Annotated[
        bool, typer.Option("--audio/--no-audio", help="Copy the sound of the source; so by default, if it is a file.")
    ] = True,
    seconds: Annotated[float | None, typer.Option(min=0.001, help="Only so much of the beginning.")] = None,
    on_restart: Annotated[
        str,
        typer.Option(
            parser=arguments.one_of(_POLICIES, "policy"),
            metavar="POLICY",
            help="Where times start again: continue behind the last frame; segment, each part into a file of its own; "
            "reset, a new encoder, and the source's times in the metadata.",
        ),
    ] = "continue",
    trust: Annotated[str, arguments.TRUST] = "origin",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Crop, scale, letterbox, draw on and encode one video.

    What is drawn comes from an NDJSON file such as the demo writes: the lines of a frame are found by its time.
    """
    from picasso.cli.console import progress, results
    from picasso.cli.conversion import Conversion
    from picasso.cli.outputs import Outputs
    from picasso.cli.progress import open_progress
    from picasso.encode import Codec, DgpuPreset
    from picasso.engine import PtsResetPolicy
    from picasso.transform import Interpolation, Padding

    policy = PtsResetPolicy.of(on_restart)
    outputs = Outputs(out, metadata, Codec.from_name(codec), fragment=fragment, fsync=fsync, on_restart=policy)
    conversion = Conversion(
        source,
        outputs,
        size=size,
        crop=crop,
        padding=Padding.from_name(padding.replace("-", "_")),
        inset=inset,
        interpolation=Interpolation.from_name(resample),
        crf=crf,
        bit_rate=bitrate,
        quality=quality,
        preset=None if preset is None else DgpuPreset(preset),
        draw=draw,
        blurred=blur or (),
        raw_geometry=raw_geometry,
        tone_map=tone_map,
        audio=audio,
        seconds=seconds,
        trust="any" if trust == "any" else "origin",
        on_restart=policy,
    )
    outcome = conversion.run(open_progress(progress(), quiet=quiet))
    if not quiet:
        figures = f"{outcome.delivered} frames, {outcome.frames_per_s:.1f} frames/s, p99 {outcome.p99_ms:.1f} ms"
        console = progress() if outputs.to_stdout else results()
        console.print(f"{out}: {figures}", markup=False)
