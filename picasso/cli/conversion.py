"""What ``picasso encode`` was asked for, checked against the file at hand before anything is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import typer

from picasso.cli.arguments import Inset, Rectangle, Size
from picasso.cli.detections import DetectionsFile
from picasso.cli.encoding import encoder_config
from picasso.cli.excerpt import Excerpt
from picasso.cli.progress import Progress
from picasso.cli.rehearsal import rehearse
from picasso.cli.streams import Outcome, Sink, Stream, run
from picasso.encode import Codec, DgpuPreset, EncoderConfig
from picasso.engine import CodecSpec, SourceSpec
from picasso.errors import GeometryError, SpecError
from picasso.media import ImageSequenceWriter, MediaInfo, MetadataWriter, StreamWriter, probe
from picasso.media.location import input_place
from picasso.transform import DstPadding, Interpolation, Padding, Placement, Rect, TransformConfig

SOURCE_ID = "encode"
CONTAINERS = {
    Codec.H264: (".mp4", ".mov", ".mkv"),
    Codec.HEVC: (".mp4", ".mov", ".mkv"),
    Codec.AV1: (".mp4", ".mkv"),
    Codec.JPEG: (".mp4", ".mov", ".mkv"),
}
"""The files that a codec can go to."""
IMAGES = (Codec.JPEG, Codec.PNG)
"""The codecs that can go to a folder, a file a frame."""
FALLBACK_RATE = Fraction(30)
"""Frames per second of files that do not tell."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """The arguments of ``picasso encode``, as numbers and members."""

    source: str
    out: Path
    size: Size | None
    crop: Rectangle | None
    padding: Padding
    inset: Inset | None
    interpolation: Interpolation
    codec: Codec
    crf: float | None
    bit_rate: int | None
    quality: int | None
    preset: DgpuPreset | None
    draw: Path | None
    blurred: Sequence[str]
    metadata: Path | None
    seconds: float | None

    def run(self, progress: Progress) -> Outcome:
        """Encode the file.

        Raises:
            typer.BadParameter: The arguments do not fit the file or each other.
            MediaError, MetadataError: A file cannot be read or written.
        """
        self._check_outputs()
        self._check_rate()
        info = probe(self.source)
        detections = None if self.draw is None else DetectionsFile(self.draw)
        excerpt = Excerpt(self.source, SOURCE_ID, self.seconds)
        stream = Stream(
            SOURCE_ID,
            self._spec(info, detections),
            excerpt.open,
            self._open_sinks(),
            annotate=detections,
            src_rect=self._src_rect(),
            total=excerpt.frame_count(info),
        )
        if input_place(self.source).can_be_read_again:
            rehearse([stream], progress)
        outcome = run([stream], progress)[0]
        if outcome.failure is not None:
            raise outcome.failure
        if detections is not None:
            detections.check_matched()
        return outcome

    def _spec(self, info: MediaInfo, detections: DetectionsFile | None) -> SourceSpec:
        inset = DstPadding(*self.inset) if self.inset else None
        transform = TransformConfig(self.padding, inset, self.interpolation)
        target_wh = self._target_wh(info)
        try:
            Placement.compute(info.size_wh, target_wh, transform, self._src_rect())
        except GeometryError as error:
            raise typer.BadParameter(f"{error}; {self.source} is {info.width}x{info.height}") from None
        rate = info.frame_rate or FALLBACK_RATE
        config = self._encoder_config(target_wh, rate)
        draw = None if detections is None else detections.draw_spec(self.blurred)
        return SourceSpec(codec=CodecSpec.encode(transform, config), draw=draw)

    def _encoder_config(self, size_wh: tuple[int, int], rate: Fraction) -> EncoderConfig:
        return encoder_config(
            self.codec,
            size_wh,
            rate,
            bit_rate=self.bit_rate,
            crf=self.crf,
            quality=self.quality,
            preset=self.preset,
        )

    def _check_rate(self) -> None:
        """Find out before the file is opened what the codec does not have."""
        if self.crf is not None and self.bit_rate is not None:
            raise typer.BadParameter("--crf holds the quality and --bitrate the rate: leave one of them out")
        try:
            self._encoder_config((64, 64), FALLBACK_RATE)
        except SpecError as error:
            raise typer.BadParameter(str(error)) from None

    def _target_wh(self, info: MediaInfo) -> tuple[int, int]:
        """The size asked for, else that of the crop or of the source, made even as 4:2:0 pictures need."""
        if self.size is not None:
            return self.size
        width, height = (self.crop.width, self.crop.height) if self.crop else info.size_wh
        return max(width & ~1, 2), max(height & ~1, 2)

    def _src_rect(self) -> Rect | None:
        crop = self.crop
        return None if crop is None else Rect(top=crop.top, left=crop.left, width=crop.width, height=crop.height)

    def _check_outputs(self) -> None:
        containers = CONTAINERS.get(self.codec, ())
        to_folder = self.codec in IMAGES and not self._is_file()
        if not to_folder and self.out.suffix.lower() not in containers:
            goes_to = f"a file, one of {', '.join(containers)}" if containers else "a folder"
            raise typer.BadParameter(f"{self.codec.name()} goes to {goes_to}; got {str(self.out)!r}")
        if self.metadata == self.out:
            raise typer.BadParameter(f"{str(self.out)!r} cannot hold both the frames and their metadata")
        for path in filter(None, (self.out, self.metadata)):
            if path.exists() and any(Path(read).exists() and path.samefile(read) for read in self._inputs()):
                raise typer.BadParameter(f"{str(path)!r} is read and written at once")

    def _inputs(self) -> list[str | Path]:
        return [self.source] if self.draw is None else [self.source, self.draw]

    def _is_file(self) -> bool:
        return self.out.suffix.lower() in CONTAINERS[Codec.H264]

    def _open_sinks(self) -> list[Sink]:
        video: Sink = StreamWriter(self.out) if self._is_file() else ImageSequenceWriter(self.out)
        return [video] if self.metadata is None else [video, MetadataWriter(self.metadata, space="source")]
