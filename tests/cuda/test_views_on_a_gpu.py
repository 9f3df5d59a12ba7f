"""On a real GPU: viewers see sources whose frames are in GPU memory, as streams and as JPEG."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from websockets.sync.client import connect

sys.path.insert(0, str(Path(__file__).parents[1] / "web"))
from web_kit import PATIENCE_S, pattern, running, tree

from picasso.flow import NEVER
from picasso.primitives import BBox, VideoFrame
from picasso.surface import SurfaceView, VideoFormat

pytestmark = pytest.mark.cuda
COLOR = (200, 40, 40)


class OnDevice:
    """A camera whose pictures are in GPU memory."""

    is_live = True
    restart = NEVER
    source_id = "gate"

    def __init__(self) -> None:
        self._stopped = threading.Event()

    def __iter__(self) -> Iterator[tuple[VideoFrame, SurfaceView]]:
        from picasso.surface.cuda_memory import Uploader
        from picasso.transform.cuda import CudaTransformer

        transformer, number = CudaTransformer(), 0
        picture = SurfaceView.allocate(VideoFormat.RGBA, (320, 240))
        picture.planes[0].reshape(240, 320, 4)[...] = (*COLOR, 255)
        while not self._stopped.wait(1 / 30):
            frame = VideoFrame("gate", "30/1", 320, 240, time_base=(1, 10**9), pts=number * 10**9 // 30)
            frame.create_object("yolo", "car", detection_box=BBox(160, 120, 80, 60))
            number += 1
            yield frame, Uploader(transformer.stream).upload(picture)
        transformer.close()

    def stop(self) -> None:
        self._stopped.set()


OUTPUTS: dict[str, dict[str, Any] | None] = {
    "no pixels": None,
    "software": {"codec": "h264", "encoder": "software"},
    "drawn": {"codec": "h264", "encoder": "software"},
}


@pytest.mark.parametrize("case", OUTPUTS)
def test_viewers_see_frames_that_are_on_a_gpu(case: str) -> None:
    draw: dict[str, Any] = {"draw_func": {}} if case == "drawn" else {}
    with running(tree(pattern("unused"), output_frame=OUTPUTS[case], **draw), OnDevice()) as one:
        answer = one.http.post("/sources/gate/snapshot", json={"timeout_s": 60})
        picture = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1]
        assert picture.shape == (240, 320, 3)
        assert np.abs(picture[120, 160].astype(int) - COLOR).max() < 12
        border = np.abs(picture[147:153, 160].astype(int) - COLOR).sum(1).max()
        assert (border > 120) == (case == "drawn")
        assert one.module.web.page is not None
        with connect(f"{one.module.web.page.replace('http', 'ws')}/watch") as socket:
            socket.send(json.dumps({"watch": {"gate": "tile"}, "decodes": ["h264"]}))
            while isinstance(message := socket.recv(PATIENCE_S), str):
                pass
        head = json.loads(message[4 : 4 + int.from_bytes(message[:4], "big")])
        assert head["codec"] == ("jpeg" if OUTPUTS[case] is None else "h264")
        assert head["objects"][0][5:9] == [160, 120, 80, 60]
        one.wait_for_more("gate")
        assert (one.source("gate")["state"], one.source("gate")["last_error"]) == ("live", None)
