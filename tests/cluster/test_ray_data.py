"""Videos as a dataset of a real Ray Data."""

from __future__ import annotations

import json
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "infer"))
from graphs import red_squares
from map_kit import write_clip
from small_ray_kit import small_ray

from picasso import Detector, VideoReader, to_tensor, unplace
from picasso.cluster import FindObjects, placement_of, read_video
from picasso.errors import ShapeError
from picasso.primitives import VideoFrame

__all__ = ["small_ray"]
pytestmark = [pytest.mark.cluster, pytest.mark.filterwarnings("ignore")]  # Ray's own, of its libraries
FRAMES = 21


def red_clip(path: Path, seed: int) -> Path:
    """Write a clip with one to three red squares on blue."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast", "crf": "1"})
        stream.width, stream.height, stream.pix_fmt = 128, 72, "yuv444p"
        for index in range(FRAMES):
            picture = np.zeros((72, 128, 3), np.uint8)
            picture[..., 2] = 255
            for square in range(1 + (index + seed) % 3):
                left = 4 + 40 * square + index % 8
                picture[20:40, left : left + 16] = (255, 0, 0)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two clips, and beside them what is known of their frames: as many boxes as the number of the frame, modulo 3."""
    folder = tmp_path_factory.mktemp("videos")
    for seed, name in enumerate(("one", "two")):
        red_clip(folder / f"{name}.mp4", seed)
        lines = [
            {"schema": "VideoFrame", "metadata": {"objects": [object_of(index, number) for number in range(index % 3)]}}
            for index in range(FRAMES)
        ]
        (folder / f"{name}.ndjson").write_text("\n".join(map(json.dumps, lines)))
    return folder


def pictures(reader: VideoReader) -> Iterator[tuple[VideoFrame, Any]]:
    """The frames of a reader, without the end of the stream."""
    for item in reader:
        if isinstance(item, tuple):
            yield item


def object_of(index: int, number: int) -> dict[str, Any]:
    box = {"xc": 20.25 + 30 * number, "yc": 30.5, "width": 11, "height": 7 + index, "angle": 0}
    return {"model_name": "truth", "label": f"kind{number}", "object_id": number, "bbox": box}


def test_frames_are_what_the_reader_and_the_kernel_give_and_boxes_go_back_exactly(small_ray: Any, videos: Path) -> None:
    frames = read_video(
        str(videos / "*.mp4"), size=96, dtype="float32", objects=str(videos / "{stem}.ndjson"), batch_size=8
    )
    rows = {(Path(row["source"]).stem, row["frame"]): row for row in frames.iter_rows()}
    assert sorted(rows) == [(name, index) for name in ("one", "two") for index in range(FRAMES)]
    for name in ("one", "two"):
        with VideoReader(str(videos / f"{name}.mp4")) as reader:
            for index, (frame, surface) in enumerate(pictures(reader)):
                row = rows[name, index]
                (tensor,), (placement,) = to_tensor(surface, 96)
                assert np.array_equal(row["tensor"], tensor)
                assert row["pts_ns"] == frame.pts
                assert placement_of(row["placement"]) == placement
                wanted = [object_of(index, number)["bbox"] for number in range(index % 3)]
                corners = [
                    [one["xc"] - 5.5, one["yc"] - one["height"] / 2, one["xc"] + 5.5, one["yc"] + one["height"] / 2]
                    for one in wanted
                ]
                boxes = np.asarray(row["boxes_xyxy"]).reshape(-1, 4)
                back = np.asarray(unplace(boxes, placement))
                assert back.shape == (index % 3, 4)
                assert np.abs(back - np.reshape(corners, (-1, 4))).max(initial=0) < 1e-9
                assert list(row["labels"]) == [f"kind{number}" for number in range(index % 3)]


def test_a_detector_finds_in_a_dataset_what_it_finds_in_frames(small_ray: Any, videos: Path) -> None:
    from ray.data import ActorPoolStrategy

    model = red_squares(96)
    detector = Detector(model)
    frames = read_video(videos, spec=detector.spec, batch_size=5)
    found = frames.map_batches(
        FindObjects,
        fn_constructor_args=(model,),
        fn_constructor_kwargs={"drop_tensor": True},
        batch_size=4,
        compute=ActorPoolStrategy(size=1),
    )
    rows = {(Path(row["source"]).stem, row["frame"]): row for row in found.iter_rows()}
    assert len(rows) == 2 * FRAMES
    total = 0
    for name in ("one", "two"):
        with VideoReader(str(videos / f"{name}.mp4")) as reader:
            for index, (_, surface) in enumerate(pictures(reader)):
                wanted, row = detector(surface), rows[name, index]
                assert "tensor" not in row
                assert np.array_equal(np.asarray(row["found_xyxy"]).reshape(-1, 4), wanted.xyxy)
                assert list(row["found_labels"]) == list(wanted.labels)
                assert np.array_equal(row["found_confidences"], wanted.confidences)
                total += len(wanted)
    assert total > 2 * FRAMES


def test_rows_are_joined_with_data_of_the_user(small_ray: Any, videos: Path) -> None:
    frames = read_video(videos / "one.mp4", size=32, every=5).drop_columns(["tensor"]).to_pandas()
    assert list(frames["frame"]) == [0, 5, 10, 15, 20]
    import pandas as pd

    notes = pd.DataFrame({"frame": [5, 20], "weather": ["rain", "sun"]})
    assert list(frames.merge(notes, on="frame", how="left")["weather"].fillna("")) == ["", "rain", "", "", "sun"]


def test_a_video_that_cannot_be_read_stops_a_dataset_or_is_left_out(
    small_ray: Any, videos: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"no video")
    given = [videos / "one.mp4", bad]
    assert read_video(given, size=32, on_error="skip").count() == FRAMES
    with pytest.raises(Exception, match=r"bad.mp4: Invalid data found"):
        read_video(given, size=32).count()


def test_a_long_video_is_never_in_memory_as_a_whole(small_ray: Any, tmp_path: Path) -> None:
    """Its tensors are 300 MB, the store has 100, and nothing spills: blocks go as they are taken."""
    clip = write_clip(tmp_path / "long.mp4", 1, frames=256)
    from ray.data import DataContext

    context = DataContext.get_current()
    before, context.target_max_block_size = context.target_max_block_size, 8_000_000
    try:
        frames = read_video(clip, size=320, dtype="float32")
        sizes = [len(batch["frame"]) for batch in frames.iter_batches(batch_size=16, prefetch_batches=0)]
    finally:
        context.target_max_block_size = before
    assert sum(sizes) == 256
    from ray._private.internal_api import memory_summary

    said = memory_summary(small_ray.get_runtime_context().gcs_address, stats_only=True)
    assert "Plasma memory usage" in said
    assert "Spilled" not in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"every": 0}, "every = 0"),
        ({"batch_size": 0}, "batch_size = 0"),
        ({"on_error": "no"}, "expected raise or skip"),
    ],
    ids=str,
)
def test_wrong_arguments_are_named(arguments: dict[str, Any], words: str, videos: Path) -> None:
    with pytest.raises(ValueError, match=words):
        read_video(videos, **arguments)


def test_tensors_that_a_model_does_not_read_are_refused(videos: Path) -> None:
    step = FindObjects(red_squares(96))
    (tensor,), (placement,) = to_tensor(np.zeros((72, 128, 3), np.uint8), 64)
    from picasso.cluster.datasets import placement_row

    with pytest.raises(ShapeError, match=r"expected float32 \(1, 3, 96, 96\), got float32 \(1, 3, 64, 64\)"):
        step({"tensor": tensor[None], "placement": placement_row(placement)[None]})


def test_the_example_joins_what_is_found_with_a_table(small_ray: Any, videos: Path, tmp_path: Path) -> None:
    example = runpy.run_path(str(Path(__file__).parents[2] / "docs/examples/frames_with_ray/frames.py"))
    model, table = tmp_path / "red.onnx", tmp_path / "weather.csv"
    model.write_bytes(red_squares(96))
    clips = [str(videos / "one.mp4"), str(videos / "two.mp4")]
    table.write_text(f"source,weather\n{clips[0]},rain\n{clips[1]},sun\n")
    seen = example["main"](str(model), str(table), clips)
    detector = Detector(model)
    for clip, weather in zip(clips, ("rain", "sun"), strict=True):
        with VideoReader(clip) as reader:
            wanted = [len(detector(surface)) for _, surface in pictures(reader)][::2]
        assert seen.loc[weather].to_dict() == {"frames": len(wanted), "objects": sum(wanted)}
