"""Puts frames of what the example wrote side by side: python picture.py out picture.png."""

import sys
from pathlib import Path

import av
import cv2
import numpy as np

from picasso.cli.showcase.palette_png import palette_png

FRAMES = {"bikes": 60, "bunny": 70, "carphone": 40}


def picture_of(video: Path, number: int) -> np.ndarray:
    with av.open(str(video)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index == number:
                return frame.to_ndarray(format="rgb24")
    raise SystemExit(f"{video} has no frame {number}")


if __name__ == "__main__":
    folder, target = map(Path, sys.argv[1:])
    row = np.concatenate([picture_of(folder / f"{name}.mp4", number) for name, number in FRAMES.items()], axis=1)
    row = cv2.resize(row, None, fx=0.625, fy=0.625, interpolation=cv2.INTER_AREA)
    Path(target).write_bytes(palette_png(np.dstack([row, np.full(row.shape[:2], 255, np.uint8)])))
