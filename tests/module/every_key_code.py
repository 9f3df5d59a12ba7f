"""What the cases of ``test_every_key`` name: pyfuncs, filters, a drawer."""

from __future__ import annotations

import math
import threading
from typing import Any

import numpy as np

from picasso.module import Frame, NvDsPyFuncPlugin, ObjectMeta, PyFunc
from picasso.module.drawing import Artist, NvDsDrawFunc
from picasso.primitives import BBox, RBBox, keypoints_attribute, mask_attribute, polygons_attribute


class Says(PyFunc):
    """Tags frames with its kwargs."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__()
        self.kwargs = kwargs

    def __call__(self, frame: Frame) -> None:
        frame.set_tag("says", str(self.kwargs))


def other(frame: Frame) -> None:
    frame.set_tag("says", "other")


def batch(frame: Frame) -> None:
    frame.set_tag("batch", frame.batch_id)


def size(frame: Frame) -> None:
    frame.set_tag("size", f"{frame.width}x{frame.height}")


def thread(frame: Frame) -> None:
    frame.set_tag("thread", threading.current_thread().name)


def stores(frame: Frame) -> None:
    from picasso.module import param_storage

    frame.set_tag("stores", str(param_storage().get("mine")))


def second(frame: Frame) -> None:
    """Tags the second frame."""
    if frame.frame_num == 1:
        frame.set_tag("second")


def raises(frame: Frame) -> None:
    if frame.frame_num == 1:
        raise ValueError("no lane")


def adds(frame: Frame) -> None:
    frame.add_obj_meta(ObjectMeta("yolo", "bus", BBox(20, 10, 8, 6)))


def shaped(frame: Frame) -> None:
    """Gives each object a mask, a polygon, keypoints and a track, and moves it on."""
    for one in frame.video_frame.get_all_objects():
        left, top, width, height = 8 + 6 * frame.frame_num, 10, 16, 12
        box = (left + width / 2, top + height / 2, width, height, math.nan)
        one.detection_box = RBBox(*box[:4])
        one.set_track_info(7, RBBox(*box[:4]))
        ring = np.array([[left, top], [left + width, top], [left, top + height]])
        for attribute in (
            mask_attribute(np.tri(12, 16)),
            polygons_attribute([ring], box),
            keypoints_attribute([[left + 2, top + 3, 0.9], [left + 12, top + 9, 0.2]], box),
        ):
            one.set_attribute(attribute)


def logs(frame: Frame) -> None:
    import logging

    logging.getLogger("insight.savant.logs").debug("frame %d", frame.frame_num)


def dynamic(frame: Frame) -> None:
    from picasso.module import eval_expr

    frame.set_tag("dynamic", str(eval_expr('etcd("gate", "default")', 0)[0]))


class Every:
    """Lets every n-th frame pass."""

    def __init__(self, n: int = 2) -> None:
        self.n = n

    def __call__(self, frame: Any) -> bool:
        return bool(frame.pts // 40_000_000 % self.n == 0)


def nothing(_frame: Any, n: int = 0) -> bool:
    return False


def empties(frame: Frame) -> None:
    for one in frame.objects:
        frame.remove_obj_meta(one)


class Drawer(NvDsDrawFunc):
    """Draws a square instead of the stock look."""

    side: int = 8

    def draw_on_frame(self, frame_meta: Frame, artist: Artist) -> None:
        artist.add_bbox(BBox(20, 20, self.side, self.side), 1, (255, 0, 0, 255))


class OtherDrawer(Drawer):
    side = 12


class Makes(NvDsPyFuncPlugin):
    """Makes a stream of its own."""

    def on_start(self) -> bool:
        self.stream = self.auxiliary_stream("side", 32, 16, {"codec": self.codec}, "10/1")
        return True

    def process_frame(self, buffer: Any, frame_meta: Frame) -> None:
        _frame, made = self.stream.create_frame(frame_meta.pts)
        with made[0].edit_image() as pixels:
            pixels[:, ::3] = 90 * (frame_meta.frame_num + 1) % 256
