"""Auxiliary streams: frames that a pyfunc makes, past the pipeline to the sinks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from picasso.module import ConfigError, Module
from picasso.module.elements import ElementError
from picasso.module.sinks import MemorySink
from picasso.primitives import VideoFrame
from picasso.surface import has_nvenc

FRAMES = 6

MAKES = """
from picasso.module import NvDsPyFuncPlugin
from picasso.module.drawing import Artist
from picasso.module.pixels import nvds_to_gpu_mat

class It(NvDsPyFuncPlugin):
    def on_start(self):
        self.stream = self.auxiliary_stream("side", 32, 16, {"codec": self.codec}, "10/1")
        return True

    def process_frame(self, buffer, frame_meta):
        frame, batch = self.stream.create_frame(frame_meta.pts)
        with nvds_to_gpu_mat(batch, batch_id=0) as pixels:
            pixels[..., 0] = 40 * frame_meta.frame_num
        with Artist(batch[0]) as artist:
            artist.add_line((0, 2), (32, 2), (0, 0, 255), 2)
        frame_meta.set_tag("seen", True)
        later(frame_meta)

def later(frame_meta):
    pass
"""
AFTER = "def It(frame):\n    frame.set_tag('after', frame.source_id)\n"


def tree(folder: Path, text: str, codec: str = "jpeg", after: bool = False, **parameters: Any) -> dict[str, Any]:
    (folder / "makes.py").write_text(text)
    (folder / "after.py").write_text(AFTER)
    elements = [
        {"element": "pyfunc", "module": str(folder / "makes.py"), "class_name": "It", "kwargs": {"codec": codec}},
        *([{"element": "pyfunc", "module": str(folder / "after.py"), "class_name": "It"}] if after else []),
    ]
    source = {"element": "videotestsrc", "properties": {"width": 64, "height": 48, "num-buffers": FRAMES}}
    return {
        "name": "m",
        "parameters": {"frame": {"width": 64, "height": 48}, "code_root": None, **parameters},
        "pipeline": {"source": source, "sink": [{"element": "devnull_sink"}], "elements": elements},
    }


def run(config: dict[str, Any]) -> dict[str, list[Any]]:
    """Run a module; what came out by source, frames and ends."""
    sink = MemorySink()
    Module(config, sinks=[sink]).run()
    found: dict[str, list[Any]] = {}
    for output in sink.outputs:
        found.setdefault(output.source_id, []).append(None if output.is_eos else output.as_video_frame())
    return found


@pytest.mark.parametrize("queues", [None, {"length": 1}], ids=["one thread", "queues"])
@pytest.mark.parametrize("output", [None, {"codec": "raw-rgba"}], ids=["metadata", "pixels"])
def test_frames_reach_the_sinks_under_their_own_source_and_skip_the_pipeline(
    tmp_path: Path, output: Any, queues: Any
) -> None:
    config = tree(tmp_path, MAKES, "png", after=True, output_frame=output, buffer_queues=queues)
    found = run(config)
    assert list(map(len, found.values())) == [FRAMES + 1, FRAMES + 1]
    main, side = found["test"], found["side"]
    assert (main[-1], side[-1]) == (None, None)
    assert [frame.pts for frame in side[:-1]] == [frame.pts for frame in main[:-1]]
    assert {frame.get_attribute("default", "after").values[0].as_string() for frame in main[:-1]} == {"test"}
    for number, frame in enumerate(side[:-1]):
        assert isinstance(frame, VideoFrame)
        assert (frame.width, frame.height, frame.codec, frame.framerate) == (32, 16, "png", "10/1")
        assert (frame.duration, frame.attributes) == (100_000_000, [])
        pixels = decoded(frame.content.get_data())
        assert (pixels[8, 8] == [40 * number, 0, 0]).all()
        assert (pixels[2, 8] == [0, 0, 255]).all()


def decoded(data: bytes) -> np.ndarray[Any, Any]:
    import io

    import av

    with av.open(io.BytesIO(data), format="png_pipe") as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb24")


@pytest.mark.parametrize("codec", ["h264", "jpeg"])
def test_streams_are_encoded_as_they_ask(tmp_path: Path, codec: str) -> None:
    side = run(tree(tmp_path, MAKES, codec))["side"]
    assert [frame and frame.codec for frame in side] == [codec] * FRAMES + [None]
    assert all(len(frame.content.get_data()) > 0 for frame in side[:-1])


def test_the_listed_encoder_gives_what_a_stream_does_not_say(tmp_path: Path) -> None:
    def size(quality: int) -> int:
        encoders = [{"codec": "jpeg", "encoder_params": {"quality": quality}}]
        frame = run(
            tree(
                tmp_path,
                MAKES.replace("40 * frame_meta.frame_num", "__import__('numpy').arange(32) * 7"),
                auxiliary_encoders=encoders,
            )
        )["side"][0]
        return len(frame.content.get_data())

    assert size(5) < size(95)


def test_an_encoder_that_is_named_and_not_there_refuses_to_start(tmp_path: Path) -> None:
    if has_nvenc():
        pytest.skip("this machine has NVENC")
    encoders = [{"codec": "jpeg"}, {"codec": "h264", "encoder": "nvenc"}]
    with pytest.raises(ConfigError, match=r"auxiliary_encoders\[1\]\.encoder: h264 by nvenc cannot be encoded here"):
        run(tree(tmp_path, MAKES, auxiliary_encoders=encoders))


def test_a_stream_whose_named_encoder_is_not_there_is_refused(tmp_path: Path) -> None:
    if has_nvenc():
        pytest.skip("this machine has NVENC")
    code = MAKES.replace('{"codec": self.codec}', '{"codec": "h264", "encoder": "nvenc"}')
    with pytest.raises(ElementError, match="auxiliary stream 'side': h264 by nvenc cannot be encoded here"):
        run(tree(tmp_path, code))


SHRINKS = MAKES.replace("        later(frame_meta)\n", "        frame.width = 16\n")


def test_a_frame_that_cannot_be_encoded_is_reported_and_the_others_go_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    found = run(tree(tmp_path, SHRINKS))
    assert "auxiliary stream 'side': the frame at pts 0 is lost (no. 1)" in caplog.text
    assert (len(found["test"]), found["side"]) == (FRAMES + 1, [None])


ENDS = MAKES.replace(
    "        later(frame_meta)\n",
    """        if frame_meta.frame_num % 2:
            self.stream.eos()
            self.stream.eos()
            self.stream = self.auxiliary_stream("side", 32, 16, {"codec": self.codec})
""",
)


def test_a_stream_that_ended_gives_its_name_back(tmp_path: Path) -> None:
    side = run(tree(tmp_path, ENDS))["side"]
    assert [frame is None for frame in side] == [False, False, True] * 3 + [True]


WRONG = {
    "name of a source": ("'test', 32, 16, {'codec': 'jpeg'}", "auxiliary stream 'test': the source id is in use"),
    "name of a stream": ("'side', 32, 16, {'codec': 'jpeg'}", "auxiliary stream 'side': the source id is in use"),
    "codec": ("'a', 32, 16, {'codec': 'vp8'}", "unknown codec 'vp8'; one of h264, hevc, av1, jpeg, png"),
    "no codec": ("'a', 32, 16, {}", "codec is missing; there are codec, encoder"),
    "unknown key": ("'a', 32, 16, {'codec': 'jpeg', 'quality': 1}", "unknown 'quality'"),
    "encoder": ("'a', 32, 16, {'codec': 'jpeg', 'encoder': 'x'}", "unknown encoder 'x'; one of nvenc, software"),
    "odd size": ("'a', 33, 16, {'codec': 'jpeg'}", "even numbers of at least 16 pixels, got \\(33, 16\\)"),
    "rate": ("'a', 32, 16, {'codec': 'jpeg'}, 'fast'", "expected a fraction such as '30/1', got 'fast'"),
}


@pytest.mark.parametrize(("arguments", "text"), WRONG.values(), ids=WRONG)
def test_a_stream_that_cannot_be_is_refused(tmp_path: Path, arguments: str, text: str) -> None:
    code = MAKES.replace("        later(frame_meta)\n", f"        self.auxiliary_stream({arguments})\n")
    with pytest.raises(ElementError, match=text):
        run(tree(tmp_path, code))


def test_no_frame_is_made_behind_the_end(tmp_path: Path) -> None:
    code = MAKES.replace(
        "        later(frame_meta)\n", "        self.stream.eos()\n        self.stream.create_frame(9**9)\n"
    )
    with pytest.raises(ElementError, match="auxiliary stream 'side' has ended"):
        run(tree(tmp_path, code))


def test_outside_of_a_module_there_are_no_streams() -> None:
    from picasso.module import NvDsPyFuncPlugin

    with pytest.raises(RuntimeError, match="auxiliary_stream works in a running module"):
        NvDsPyFuncPlugin().auxiliary_stream("side", 32, 16, {"codec": "jpeg"})
