"""Draw docs/images/verbs: what each verb makes of a clip. Run ``python docs/make_verbs_pictures.py``.

Needs ``pip install 'picasso-engine[notebooks]'``: the real clip comes with the demo, the street is drawn.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import picasso as pc
from picasso.annotators import BlurAnnotator
from picasso.primitives import Detections
from picasso.verbs import beside_each_other, contact_sheet, crop_video, track_video, write_gif

HERE = Path(__file__).parent
FOLDER = HERE / "images" / "verbs"
sys.path.insert(0, str(HERE / "notebooks"))

from street import demo_clip, write_detector, write_street  # noqa: E402 - of the folder beside


def keep(name: str, pixels: Any, colors: int = 128) -> None:
    """Write a picture, small."""
    image = Image.fromarray(np.ascontiguousarray(pixels)).quantize(colors, dither=Image.Dither.NONE)
    image.save(FOLDER / f"{name}.png", optimize=True)


def frame(path: Path | str, number: int) -> Any:
    """Return the pixels of a frame."""
    with pc.VideoReader(path, pixel_format="rgb") as reader:
        return reader[number][1].to_rgb()


def main() -> None:
    """Write the pictures."""
    FOLDER.mkdir(exist_ok=True)
    bikes = demo_clip("bikes.mp4")
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        keep("sheet", contact_sheet(bikes, columns=4, rows=3, width=640).to_rgb())

        write_gif(bikes, FOLDER / "gif.gif", start_s=7.6, end_s=8.4, fps=8, width=200)

        crop_video(bikes, work / "crop.mp4", (200, 0, 440, 272), start_s=4.7, end_s=5)
        whole, part = frame(bikes, 120), frame(work / "crop.mp4", 2)
        keep("crop", np.hstack([whole, np.full((whole.shape[0], 12, 3), 255, np.uint8), part])[::2, ::2])

        pc.process_video(bikes, work / "small.mp4", crf=44, start_s=8, end_s=9)
        pc.process_video(bikes, work / "good.mp4", crf=18, start_s=8, end_s=9)
        beside_each_other(work / "good.mp4", work / "small.mp4", work / "both.mp4", crf=12)
        keep("compare", frame(work / "both.mp4", 12)[::2, ::2])

        rider = Detections.of([[368, 0, 484, 272]], ["rider"])
        pc.process_video(bikes, work / "blur.mp4", lambda *_: rider, annotators=[BlurAnnotator()], start_s=4.7, end_s=5)
        keep("process", frame(work / "blur.mp4", 2)[::2, ::2])

        track_video(write_street(work / "street.mp4"), work / "t.mp4", write_detector(work / "street.onnx"))
        keep("track", frame(work / "t.mp4", 60)[::2, ::2])
    for path in sorted(FOLDER.iterdir()):
        print(f"{path}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
