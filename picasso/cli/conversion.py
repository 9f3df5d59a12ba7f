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
from picasso.cli.outputs import Outputs
from picasso.cli.progress import Progress
from picasso.cli.rehearsal import rehearse
from picasso.cli.streams import Outcome, Stream, run
from picasso.encode import DgpuPreset, EncoderConfig
from picasso.engine import CodecSpec, SourceSpec
from picasso.errors import GeometryError, MediaError, SpecError
from picasso.media import MediaInfo
from picasso.media.location import Trust
from picasso.transform import DstPadding, Interpolation, Padding, Placement, Rect, TransformConfig

SOURCE_ID = "encode"
FALLBACK_RATE = Fraction(30)
"""Frames per second of files that do not tell."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """The arguments of ``picasso encode``, as numbers and members."""

    source: str
    outputs: Outputs
    size: Size | None
    crop: Rectangle | None
    padding: Padding
    inset: Inset | None
    interpolation: Interpolation
    crf: float | None
    bit_rate: int | None
    quality: int | None
    preset: DgpuPreset | None
    draw: Path | None
    blurred: Sequence[str]
    seconds: float | None
    trust: Trust

    def run(self, progress: Progress) -> Outcome:
        """Encode the file.

        Raises:
            typer.BadParameter: The arguments do not fit the file or each other.
            MediaError, MetadataError: A file cannot be read or written.
        """
        self.outputs.check([self.source] if self.draw is None else [self.source, str(self.draw)])
        self._check_rate()
        with Excerpt(self.source, SOURCE_ID, self.seconds, trust=self.trust) as excerpt:
            detections = None if self.draw is None else DetectionsFile(self.draw)
            stream = Stream(
                SOURCE_ID,
                self._spec(excerpt.info, detections),
                excerpt.open,
                self.outputs.open(),
                annotate=detections,
                src_rect=self._src_rect(),
                total=excerpt.frame_count,
                rehearse=excerpt.rehearse,
                stop=excerpt.stop,
                verify=None if detections is None else detections.check_matched,
            )
            rehearse([stream], progress)
            outcome = run([stream], progress)[0]
        if outcome.failure is not None:
            raise outcome.failure
        if not outcome.delivered:
            raise MediaError(f"{self.source}: no frame to encode; {self.outputs.video} is as it was")
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
            self.outputs.codec,
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
