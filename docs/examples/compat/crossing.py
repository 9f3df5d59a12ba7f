"""A pyfunc as it is written for the reference: finds the orange square, and counts how often it crosses a line."""

import numpy as np
from savant.deepstream.meta.frame import NvDsFrameMeta
from savant.deepstream.pyfunc import NvDsPyFuncPlugin
from savant.deepstream.utils.surface import get_nvds_buf_surface
from savant.gstreamer import Gst
from savant.meta.constants import UNTRACKED_OBJECT_ID
from savant.meta.object import ObjectMeta
from savant.parameter_storage import param_storage
from savant_rs.primitives.geometry import BBox, Point, PolygonalArea
from savant_rs.utils import eval_expr

LINE_X = param_storage()["line_x"]


class Crossing(NvDsPyFuncPlugin):
    def __init__(self, label: str, **kwargs):
        super().__init__(**kwargs)
        self.label = label
        self.side = {}
        self.crossings = {}

    def on_start(self) -> bool:
        self.logger.info("the line is at %d", LINE_X)
        self.right = PolygonalArea([Point(LINE_X, 0), Point(4096, 0), Point(4096, 4096), Point(LINE_X, 4096)])
        return True

    def on_source_eos(self, source_id: str):
        self.logger.info("source %s: %d crossings", source_id, self.crossings.pop(source_id, 0))
        self.side.pop(source_id, None)

    def process_frame(self, buffer: Gst.Buffer, frame_meta: NvDsFrameMeta):
        enabled, _ = eval_expr(f'etcd("sources/{frame_meta.source_id}", true)')
        if not enabled:
            return
        with get_nvds_buf_surface(buffer, frame_meta) as pixels:
            rows, columns = np.nonzero((pixels[..., 0] > 200) & (pixels[..., 2] < 60))
        if not len(rows):
            return
        width, height = float(np.ptp(columns) + 1), float(np.ptp(rows) + 1)
        box = BBox(columns.min() + width / 2, rows.min() + height / 2, width, height)
        obj_meta = ObjectMeta("finder", self.label, box, confidence=0.9, track_id=UNTRACKED_OBJECT_ID)
        side = self.right.contains(Point(box.xc, box.yc))
        before = self.side.setdefault(frame_meta.source_id, side)
        if side != before:
            self.side[frame_meta.source_id] = side
            self.crossings[frame_meta.source_id] = self.crossings.get(frame_meta.source_id, 0) + 1
        obj_meta.add_attr_meta("crossing", "is_right", side)
        frame_meta.add_obj_meta(obj_meta)
        frame_meta.set_tag("crossings", self.crossings.get(frame_meta.source_id, 0))
