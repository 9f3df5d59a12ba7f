"""What the cases of ``test_every_key`` name: pyfuncs, filters, a drawer."""

from __future__ import annotations

import threading
from typing import Any

from picasso.module import Frame, NvDsPyFuncPlugin, ObjectMeta, PyFunc
from picasso.module.drawing import Artist, NvDsDrawFunc
from picasso.primitives import BBox


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
