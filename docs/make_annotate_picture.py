"""Draw docs/images/annotate.png: the usual look of ``picasso.annotate``, and one that is chosen.

Run ``python docs/make_annotate_picture.py``; needs ``pip install 'picasso-engine[demo]'``, with which the clip comes.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

import picasso
from picasso import annotators as an
from picasso.cli.showcase.clips import clip_path
from picasso.primitives import Detections

TARGET = Path(__file__).parent / "images" / "annotate.png"
FOUND = Detections.of(
    [[0, 22, 298, 272], [348, 8, 486, 272], [376, 176, 526, 272], [534, 138, 640, 272]],
    ["van", "rider", "bicycle", "motorcycle"],
    class_ids=[0, 1, 2, 3],
    confidences=[0.94, 0.97, 0.81, 0.88],
)


def main() -> None:
    """Write the picture."""
    with picasso.VideoReader(clip_path("bikes.mp4"), pixel_format="rgb") as reader:
        scene = reader[120][1].to_rgb()
    usual = picasso.annotate(scene, FOUND)
    chosen = picasso.annotate(
        scene, FOUND, [an.ColorAnnotator(opacity=0.3), an.BoxCornerAnnotator(), an.LabelAnnotator()]
    )
    gap = np.full((scene.shape[0], 8, 3), 255, np.uint8)
    both = Image.fromarray(np.hstack([usual, gap, chosen]))
    both.quantize(160, dither=Image.Dither.NONE).save(TARGET, optimize=True)
    print(f"{TARGET}: {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main()
