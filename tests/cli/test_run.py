"""Several sources through one engine: what fails ends alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import pytest

from picasso.cli.progress import LineProgress
from picasso.cli.run import Frames, Job, run
from picasso.encode import Av1DgpuProps, Codec, DgpuPreset, EncoderProperties, JpegProps
from picasso.engine import CodecSpec, OutputMessage, SourceSpec
from picasso.primitives import VideoFrame
from picasso.surface import SurfaceView, VideoFormat
from picasso.transform import TransformConfig
from picasso.verbs.encoding import encoder_config

SIZE_WH = (32, 32)
QUIET = LineProgress(lambda _line: None)


class Memory:
    """A sink that keeps timestamps, and fails at the n-th frame or when it is closed."""

    def __init__(self, *, fails_at: int | None = None, fails_to_close: bool = False) -> None:
        self.seen: list[int] = []
        self.closed = self.abandoned = 0
        self.left: Path | None = None
        self._fails_at = fails_at
        self.fails_to_close = fails_to_close

    def write(self, output: OutputMessage) -> None:
        if len(self.seen) == self._fails_at:
            raise OSError("the disk is full")
        self.seen.append(output.as_video_frame().pts)

    def close(self) -> None:
        self.closed += 1
        if self.fails_to_close:
            raise OSError("the disk is gone")

    def abandon(self) -> Path | None:
        self.abandoned += 1
        return self.left


def frames(source_id: str, count: int, breaks: BaseException | None = None) -> Iterator[tuple[VideoFrame, SurfaceView]]:
    for index in range(count):
        surface = SurfaceView.allocate(VideoFormat.RGBA, SIZE_WH)
        yield VideoFrame(source_id, (25, 1), *SIZE_WH, time_base=(1, 10**9), pts=index * 40_000_000), surface
    if breaks is not None:
        raise breaks


def job(source_id: str, sink: Memory, *, count: int = 20, breaks: BaseException | None = None) -> Job:
    @contextmanager
    def open_frames() -> Iterator[Frames]:
        yield frames(source_id, count, breaks)

    spec = SourceSpec(codec=CodecSpec.encode(TransformConfig(), encoder_config(Codec.JPEG, SIZE_WH, Fraction(25))))
    return Job(source_id, spec, open_frames, [sink], total=count)


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


def test_every_frame_reaches_its_own_sink_in_order() -> None:
    sinks = {"a": Memory(), "b": Memory()}
    outcomes = run([job("a", sinks["a"], count=20), job("b", sinks["b"], count=7)], QUIET)
    assert [(one.source_id, one.delivered, one.dropped, one.failure) for one in outcomes] == [
        ("a", 20, 0, None),
        ("b", 7, 0, None),
    ]
    assert sinks["b"].seen == [index * 40_000_000 for index in range(7)]
    assert (sinks["a"].closed, sinks["b"].closed) == (1, 1)
    assert all(one.frames_per_s > 0 and one.p99_ms >= one.p50_ms > 0 for one in outcomes)


def test_a_source_without_frames_ends() -> None:
    (outcome,) = run([job("a", Memory(), count=0)], QUIET)
    assert (outcome.delivered, outcome.frames_per_s, outcome.failure) == (0, 0, None)


@pytest.mark.parametrize(
    ("sink", "breaks", "delivered", "says"),
    [
        pytest.param(Memory(), OSError("the file breaks off"), 20, "breaks off", id="reader"),
        pytest.param(Memory(fails_at=5), None, 5, "disk is full", id="sink"),
        pytest.param(Memory(fails_to_close=True), None, 20, "disk is gone", id="closing"),
    ],
)
def test_a_source_that_fails_ends_alone_and_says_why(
    sink: Memory, breaks: OSError | None, delivered: int, says: str
) -> None:
    healthy = Memory()
    sink.left = Path("out.part.mp4")
    failed, other = run([job("bad", sink, breaks=breaks), job("good", healthy)], QUIET)
    assert failed.delivered == delivered
    assert says in str(failed.failure)
    assert failed.failure is not None
    assert failed.failure.__notes__ == ["what was written is in out.part.mp4"]
    assert (sink.closed, sink.abandoned) == (sink.fails_to_close, 1)
    assert (healthy.closed, healthy.abandoned) == (1, 0)
    assert (other.delivered, other.failure, len(healthy.seen)) == (20, None, 20)


def test_a_detector_that_raises_ends_its_source() -> None:
    def annotate(frame: VideoFrame, _surface: SurfaceView) -> None:
        if frame.pts > 100_000_000:
            raise ValueError("no model")

    one = job("a", Memory())
    (outcome,) = run([Job(one.source_id, one.spec, one.open_frames, one.files, annotate)], QUIET)
    assert (outcome.delivered, str(outcome.failure)) == (3, "no model")


def test_an_interrupted_run_finishes_its_files_and_leaves_no_thread() -> None:
    sink = Memory()

    class Interrupting(LineProgress):
        def show(self, statuses: object) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run([job("a", sink, count=10_000)], Interrupting(lambda _line: None))
    assert len(sink.seen) < 10_000
    assert (sink.closed, sink.abandoned) == (1, 0)


def test_a_configuration_holds_a_bit_rate_or_else_a_quality() -> None:
    rate = Fraction(30000, 1001)
    config = encoder_config(Codec.AV1, SIZE_WH, rate, bit_rate=1_000_000, preset=DgpuPreset.P3)
    assert (config.fps_num, config.fps_den, config.crf) == (30000, 1001, None)
    assert config.encoder_params == EncoderProperties.av1_dgpu(
        Av1DgpuProps(bitrate=1_000_000, preset=DgpuPreset.P3, iframeinterval=60)
    )
    defaults = {codec: encoder_config(codec, SIZE_WH, rate).crf for codec in (Codec.H264, Codec.HEVC, Codec.AV1)}
    assert defaults == {Codec.H264: 23, Codec.HEVC: 24, Codec.AV1: 32}
    assert encoder_config(Codec.H264, SIZE_WH, rate, crf=30.5).crf == 30.5
    assert encoder_config(Codec.JPEG, SIZE_WH, rate).encoder_params is None
    assert encoder_config(Codec.JPEG, SIZE_WH, rate, quality=7).encoder_params == EncoderProperties.jpeg(JpegProps(7))
