"""Draw a label in Arabic and say which libraries of the system that took; fail where letters are not joined."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt

from picasso.draw import ColorDraw, LabelDraw, ObjectDraw, ObjectDrawSpec, Painter
from picasso.primitives import RBBox, VideoFrame
from picasso.surface import SurfaceView

WORD = "\u0633\u064a\u0627\u0631\u0629"
UNWANTED = ("libGL", "libEGL", "libX11", "libfreetype", "libharfbuzz", "libfribidi", "libraqm", "libfontconfig")


def picture_of(text: str) -> npt.NDArray[np.uint8]:
    """Return a picture with ``text`` as a label."""
    specs, frame = ObjectDrawSpec(), VideoFrame("camera", "30/1", 320, 120)
    specs.insert(
        "d", "car", ObjectDraw(label=LabelDraw(ColorDraw(255, 255, 255), font_scale=3, format=["{draw_label}"]))
    )
    frame.create_object("d", "car", detection_box=RBBox(160, 90, 300, 20)).draw_label = text
    painter, picture = Painter(), np.zeros((120, 320, 4), np.uint8)
    painter.set_specs(specs)
    painter.paint(SurfaceView.wrap(picture), frame, {})
    return picture


def mapped_libraries() -> list[str]:
    """Return the names of the shared libraries of this process that do not come with Python or its packages."""
    paths = {line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if ".so" in line}
    own = (sys.prefix, sys.base_prefix + "/lib/python")
    return sorted(Path(path).name for path in paths if not path.startswith(own))


joined, alone = picture_of(WORD), picture_of("\u200c".join(WORD))
if not joined.any() or np.array_equal(joined, alone):
    sys.exit("the letters of a label in Arabic are not joined")
libraries = mapped_libraries()
print(f"A label in Arabic, joined; libraries of the system: {', '.join(libraries)}")
if found := [name for name in libraries if name.startswith(UNWANTED)]:
    sys.exit(f"labels have loaded {', '.join(found)}")
