"""Draws a zone, how many objects are in it, and a logo."""

from typing import Any

import numpy as np

from picasso.module import Artist, Frame, NvDsDrawFunc, Position

QUIET, ALARM = (0, 160, 255, 255), (255, 0, 0, 255)


class ZoneDrawer(NvDsDrawFunc):
    def __init__(self, zone: tuple[float, float, float, float], **kwargs: Any) -> None:
        super().__init__(**kwargs)  # rendered_objects and condition
        left, top, right, bottom = self.zone = zone
        self.corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
        self.logo = np.zeros((16, 32, 4), np.uint8)  # RGBA
        self.logo[2:14, 2:30] = (255, 255, 255, 160)

    def draw_on_frame(self, frame_meta: Frame, artist: Artist) -> None:
        left, top, right, bottom = self.zone
        inside = sum(left < one.bbox.xc < right and top < one.bbox.yc < bottom for one in frame_meta.objects)
        color = ALARM if inside else QUIET
        artist.add_polygon(self.corners, line_width=2, line_color=color, bg_color=(*color[:3], 40))
        super().draw_on_frame(frame_meta, artist)  # the objects that rendered_objects lists
        artist.add_text(
            f"{inside} in the zone",
            (312, 232),
            font_scale=0.6,
            bg_color=color,
            padding=(4, 2, 4, 2),
            anchor_point_type=Position.RIGHT_BOTTOM,
        )
        if (
            inside
        ):  # a picture laid over the frame is written to its pixels; all else is painted on the way to the encoder
            artist.add_graphic(self.logo, (4, 4))
