"""What ``picasso encode`` was asked for, checked against the file before anything is written."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction

import typer

from picasso.cli.arguments import Inset, Rectangle, Size
from picasso.cli.detections import DetectionsFile
from picasso.cli.excerpt import Excerpt
from picasso.cli.outputs import Outputs
from picasso.cli.progress import Progress
from picasso.cli.rehearsal import rehearse
from picasso.cli.run import Job, run
from picasso.encode import DgpuPreset, EncoderConfig
from picasso.engine import CodecSpec, PtsResetPolicy, SourceSpec
from picasso.errors import GeometryError, MediaError, SpecError
from picasso.flow import SourceStatus
from picasso.media import MediaInfo
from picasso.media.location import Trust, input_place
from picasso.media.reader import Geometry
from picasso.surface import MAX_SIDE
from picasso.transform import DstPadding, Interpolation, Padding, Placement, Rect, TransformConfig
from picasso.verbs.encoding import encoder_config, even_display_size

SOURCE_ID = "encode"
_SMALLEST_SIDE = 16
"""Of what encoders take."""
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
    draw: str | None
    blurred: Sequence[str]
    raw_geometry: bool
    tone_map: bool
    audio: bool
    seconds: float | None
    trust: Trust
    on_restart: PtsResetPolicy

    def run(self, progress: Progress) -> SourceStatus:
        """Encode the file.

        Raises:
            typer.BadParameter: The arguments do not fit the file or each other.
            MediaError, MetadataError: A file cannot be read or written.
        """
        self.outputs.check([self.source] if self.draw is None else [self.source, self.draw])
        self._check_inputs()
        self._check_rate()
        geometry: Geometry = "raw" if self.raw_geometry else "display"
        with (
            ExitStack() as opened,
            Excerpt(
                self.source,
                SOURCE_ID,
                self.seconds,
                geometry=geometry,
                tone_map=self.tone_map,
                trust=self.trust,
                on_restart=self.on_restart,
            ) as excerpt,
        ):
            detections = None if self.draw is None else DetectionsFile(self.draw)
            sound = self.outputs.sound(self.source, self.trust) if self.audio and excerpt.info.audio else None
            if sound is not None:
                opened.callback(sound.close)
            job = Job(
                SOURCE_ID,
                self._spec(excerpt.info, detections),
                excerpt.open,
                self.outputs.open(sound, excerpt),
                annotate=detections,
                src_rect=self._src_rect(),
                total=excerpt.frame_count,
                rehearse=excerpt.rehearse,
                stop=excerpt.stop,
                verify=None if detections is None else detections.check_matched,
            )
            rehearse([job], progress)
            outcome = run([job], progress, on_restart=self.on_restart)[0]
        if outcome.failure is not None:
            raise outcome.failure
        if not outcome.delivered:
            raise MediaError(f"{self.source}: no frame to encode; {self.outputs.video} is as it was")
        return outcome

    def _check_inputs(self) -> None:
        """Make sure that what can be read once is read by one, and that what is to be blurred has a file."""
        if self.draw is None:
            if self.blurred:
                raise typer.BadParameter(
                    f"--blur {self.blurred[0]!r} hides objects of a file of detections: name it with --draw"
                )
            return
        source, draw = input_place(self.source, trust=self.trust), input_place(self.draw)
        if draw.is_direct and (source.descriptor, source.path) == (draw.descriptor, draw.path):
            raise typer.BadParameter(f"{self.draw!r} cannot hold both the frames and what is drawn on them")

    def _spec(self, info: MediaInfo, detections: DetectionsFile | None) -> SourceSpec:
        inset = DstPadding(*self.inset) if self.inset else None
        source_wh, scale_xy = self._picture(info)
        ratio = scale_xy[0] / scale_xy[1]
        # a size that no one asked for has the source's ratio up to rounding, which is not a reason for bars
        padding = Padding.NONE if self.size is None and inset is None else self.padding
        transform = TransformConfig(padding, inset, self.interpolation)
        target_wh = self._target_wh(source_wh, scale_xy)
        try:
            Placement.compute(source_wh, target_wh, transform, self._src_rect(), sample_aspect_ratio=ratio)
        except GeometryError as error:
            raise typer.BadParameter(f"{error}; {self.source} is {source_wh[0]}x{source_wh[1]}") from None
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

    def _picture(self, info: MediaInfo) -> tuple[tuple[int, int], tuple[Fraction, Fraction]]:
        """Size of the pictures that the reader gives, and how their sides are scaled for display."""
        if self.raw_geometry:
            return info.size_wh, (Fraction(1), Fraction(1))
        return info.upright_size_wh, info.display_scale_xy

    def _target_wh(self, source_wh: tuple[int, int], scale_xy: tuple[Fraction, Fraction]) -> tuple[int, int]:
        """The size asked for, else that for display of the crop or of the source, even as 4:2:0 pictures need."""
        if self.size is not None:
            return self.size
        taken_wh = (self.crop.width, self.crop.height) if self.crop else source_wh
        size_wh = even_display_size(taken_wh, scale_xy)
        if scale_xy[0] != scale_xy[1] and (max(size_wh) > MAX_SIDE or min(size_wh) < _SMALLEST_SIDE):
            shown = "{}x{}".format(*size_wh)
            raise typer.BadParameter(f"players show {shown} of it; say another --size, or --raw-geometry")
        return size_wh

    def _src_rect(self) -> Rect | None:
        crop = self.crop
        return None if crop is None else Rect(top=crop.top, left=crop.left, width=crop.width, height=crop.height)
