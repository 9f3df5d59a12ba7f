"""A drawer as it is written for the reference: the line, the count, and an overlay on the pixels."""

import numpy as np
from savant.deepstream.drawfunc import NvDsDrawFunc
from savant.deepstream.meta.frame import NvDsFrameMeta
from savant.deepstream.opencv_utils import alpha_comp, nvds_to_gpu_mat
from savant.gstreamer import Gst
from savant.meta.object import ObjectMeta
from savant.parameter_storage import param_storage
from savant.utils.artist import Artist, Position
from savant_rs.draw_spec import BoundingBoxDraw, ColorDraw, ObjectDraw, PaddingDraw

LINE_X = param_storage()["line_x"]


class Overlay(NvDsDrawFunc):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.logo = np.full((16, 40, 4), (0, 0, 255, 255), np.uint8)

    def draw(self, buffer: Gst.Buffer, frame_meta: NvDsFrameMeta):
        super().draw(buffer, frame_meta)
        with nvds_to_gpu_mat(buffer, frame_meta.frame_meta) as frame_mat:
            alpha_comp(frame_mat, overlay=self.logo, start=(4, 4))

    def draw_on_frame(self, frame_meta: NvDsFrameMeta, artist: Artist):
        super().draw_on_frame(frame_meta, artist)
        width, height = artist.frame_wh
        artist.add_line((LINE_X, 0), (LINE_X, height), (255, 255, 255, 255), 2)
        artist.add_text(
            str(frame_meta.get_tag("crossings")),
            (width // 2, height - 8),
            1.0,
            1,
            font_color=(255, 255, 255, 255),
            bg_color=(0, 0, 0, 255),
            padding=(4, 4, 4, 4),
            anchor_point_type=Position.CENTER_BOTTOM,
        )

    def override_draw_spec(self, object_meta: ObjectMeta, draw_spec: ObjectDraw) -> ObjectDraw:
        if object_meta.get_attr_meta("crossing", "is_right").value:
            border = BoundingBoxDraw(ColorDraw(255, 0, 0, 255), ColorDraw(0, 0, 0, 0), 2, PaddingDraw(2, 2, 2, 2))
            return ObjectDraw(bounding_box=border, label=draw_spec.label, blur=False)
        return draw_spec
