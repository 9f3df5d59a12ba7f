"""Videos as a dataset of Ray Data: frames as tensors, with the objects that are known and those that a model finds."""

from __future__ import annotations

import logging
import os
import pickle
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, cast, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from picasso.cluster.files.inputs import InputFile, find_inputs
from picasso.errors import MediaError, ShapeError, require
from picasso.infer import Detector, InputSpec, to_tensor
from picasso.transform import Placement, place

if TYPE_CHECKING:
    from ray.data import Dataset

    from picasso.primitives import VideoFrame
    from picasso.surface import SurfaceView

Batch = dict[str, NDArray[Any]]
"""Columns of a batch of Ray Data, by name."""
BATCH: Final = 16
"""Frames that become tensors at once."""
_PLACEMENT: Final = 12
logger = logging.getLogger("picasso.cluster")


def read_video(
    inputs: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    *,
    spec: InputSpec | None = None,
    size: int | tuple[int, int] = 640,
    dtype: str = "float16",
    every: int = 1,
    objects: str | None = None,
    batch_size: int = BATCH,
    on_error: Literal["raise", "skip"] = "raise",
    storage_options: Mapping[str, Any] | None = None,
    num_cpus: float = 1.0,
    concurrency: int | None = None,
) -> Dataset:
    """Return the frames of videos as a dataset, a row each, in their order within each video.

    ======================  ========================================================================================
    ``tensor``              ``(C, H, W)``: the letterboxed picture, as ``picasso.to_tensor`` makes it
    ``pts_ns``              when the frame is shown, in nanoseconds
    ``frame``               its number in its video, from 0
    ``source``              the video, as it was given
    ``placement``           ``(12,)``: ``placement_of`` makes a ``Placement`` of it, and ``unplace`` brings boxes back
    ``boxes_xyxy``          ``(N, 4)`` corners in pixels of the tensor, float64; with ``objects``
    ``labels``              N texts; with ``objects``
    ======================  ========================================================================================

    Nothing is read before the dataset is used. Each video is one task, which hands its frames on in blocks of at most
    ``ray.data.DataContext.target_max_block_size`` (128 MiB), and waits where they are not taken: no video lies in
    memory as a whole.

    Args:
        inputs: Files, folders, patterns, lists or addresses, as ``map_files`` takes them.
        spec: What a model wants to read, such as ``Detector.spec``; it decides over size, type, colours and bars.
        size: Width and height of the tensors in pixels, one number for both, where there is no ``spec``.
        dtype: ``float16``, ``float32`` or ``uint8``, where there is no ``spec``.
        every: Of how many frames one is taken.
        objects: Files of known objects, a record for each frame: ``{stem}`` is the name of the video without suffix, as
            in ``truth/{stem}.ndjson``. Boxes are in pixels of the video.
        batch_size: Frames that become tensors at once.
        on_error: What a video that cannot be read does: ``raise``, or ``skip`` with a warning; frames before the damage
            are in the dataset.
        storage_options: What fsspec's file systems take.
        num_cpus: CPUs that a video takes.
        concurrency: Videos at once; by default as many as there is room for.

    Raises:
        MediaError: A file is not there.
        MissingDependencyError: Ray Data is not installed; the error names ``pip install 'picasso-engine[ray]'``.
        ValueError: A number is below 1, or ``on_error`` is unknown.
    """
    for name, value in (("every", every), ("batch_size", batch_size)):
        if value < 1:
            raise ValueError(f"{name} = {value}: expected 1 or more")
    if on_error not in {"raise", "skip"}:
        raise ValueError(f"on_error = {on_error!r}: expected raise or skip")
    data = require("ray.data", extra="ray")
    given = [inputs] if isinstance(inputs, str | os.PathLike) else list(inputs)
    files = find_inputs(given, storage_options=storage_options)
    wanted = spec or InputSpec((size, size) if isinstance(size, int) else size, dtype=dtype)
    reading = _Reading(wanted, every, objects, batch_size, on_error, dict(storage_options or {}))
    rows = data.from_items([{"file": pickle.dumps(file)} for file in files], override_num_blocks=len(files))
    made = rows.map_batches(
        _read,
        batch_size=1,
        fn_args=(reading,),
        num_cpus=num_cpus,
        compute=data.TaskPoolStrategy(size=concurrency),
        udf_modifying_row_count=True,
    )
    return cast("Dataset", made)


def placement_of(row: ArrayLike) -> Placement:
    """Return the placement of a row's column ``placement``.

    Args:
        row: ``(12,)`` whole numbers.

    Raises:
        ShapeError: Another shape.
    """
    numbers = np.asarray(row)
    if numbers.shape != (_PLACEMENT,):
        raise ShapeError(f"placement: expected ({_PLACEMENT},), got {numbers.shape}")
    one = [int(number) for number in numbers]
    return Placement((one[0], one[1]), (one[2], one[3], one[4], one[5]), (one[6], one[7]), (one[8], *one[9:12]))  # type: ignore[arg-type]


def placement_row(placement: Placement) -> NDArray[np.int64]:
    """Return a placement as ``(12,)`` whole numbers, of which ``placement_of`` makes it again."""
    parts = placement.source_wh, placement.crop_ltwh, placement.target_wh, placement.inner_ltwh
    return np.array([number for part in parts for number in part], np.int64)


@final
class FindObjects:
    """A detector as a step of a dataset: it adds what it finds to each row.

    ::

        detector = picasso.Detector("yolo.onnx")
        frames = read_video("clips/*.mp4", spec=detector.spec)
        found = frames.map_batches(FindObjects, fn_constructor_args=("yolo.onnx",), batch_size=16, num_gpus=1)

    The columns are ``found_xyxy``, ``(N, 4)`` float32 corners in pixels of the video, ``found_labels``,
    ``found_class_ids`` and ``found_confidences``, the most certain object first. They are what the detector finds in
    the frame itself: the tensors are those that it would make.
    """

    def __init__(self, model: str | os.PathLike[str] | bytes, *, drop_tensor: bool = False, **options: Any) -> None:
        """Load the model; an actor does so once.

        Args:
            model: An ONNX file that every node has, or its bytes.
            drop_tensor: Whether the tensors are left out of what comes out.
            options: What ``Detector`` takes by keyword.

        Raises:
            ModelError: It cannot be loaded.
        """
        self._detector = Detector(model, **options)
        self._drops = drop_tensor

    def __call__(self, batch: Batch) -> Batch:
        """Return the batch with what was found in it.

        Raises:
            ShapeError: The tensors are not what the model reads: ``read_video(..., spec=detector.spec)`` makes those.
        """
        placements = [placement_of(row) for row in batch["placement"]]
        found = self._detector.in_tensor(np.ascontiguousarray(batch["tensor"]), placements)
        added = {
            "found_xyxy": _ragged([one.xyxy for one in found]),
            "found_labels": _ragged([one.labels.astype(str) for one in found]),
            "found_class_ids": _ragged([one.class_ids for one in found]),
            "found_confidences": _ragged([one.confidences for one in found]),
        }
        kept = {name: column for name, column in batch.items() if not (self._drops and name == "tensor")}
        return {**kept, **added}


class _Reading:
    """How videos are read; it travels to the tasks."""

    def __init__(
        self,
        spec: InputSpec,
        every: int,
        objects: str | None,
        batch_size: int,
        on_error: str,
        storage_options: Mapping[str, Any],
    ) -> None:
        self.spec = spec
        self.every = every
        self.objects = objects
        self.batch_size = batch_size
        self.skips = on_error == "skip"
        self.storage_options = storage_options


def _read(batch: Batch, reading: _Reading) -> Iterator[Batch]:
    """Yield the frames of the videos that a batch names: a task knows its own, not all of the dataset."""
    for one in batch["file"]:
        file: InputFile = pickle.loads(bytes(one))
        try:
            yield from _frames_of(file, reading)
        except MediaError as error:
            if not reading.skips:
                raise
            logger.warning("%s: is left out, or ends here: %s", file.shown, error)


def _frames_of(file: InputFile, reading: _Reading) -> Iterator[Batch]:
    from picasso.media import VideoReader
    from picasso.module.sources.beside import ObjectsBeside
    from picasso.primitives import EndOfStream

    with ExitStack() as stack:
        path = _here(file, reading, stack)
        known = ObjectsBeside.of(file.location, reading.objects) if reading.objects is not None else None
        waiting: list[tuple[int, VideoFrame, SurfaceView]] = []
        index = -1
        for item in stack.enter_context(VideoReader(path, file.name)):
            if isinstance(item, EndOfStream):
                continue
            index += 1
            if index % reading.every:
                continue
            frame, surface = item
            if known is not None:
                known.put(frame, index)
            waiting.append((index, frame, surface))
            del frame, surface, item
            if len(waiting) == reading.batch_size:
                yield _batch_of(waiting, file, reading)
                waiting = []
        if waiting:
            yield _batch_of(waiting, file, reading)


def _here(file: InputFile, reading: _Reading, stack: ExitStack) -> str:
    if file.remote is None:
        return file.location
    from picasso.cluster.files.remote import bring

    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="picasso-video-"))
    return str(bring(file.location, Path(folder), file.remote.file_name, reading.storage_options))


def _batch_of(frames: Sequence[tuple[int, VideoFrame, SurfaceView]], file: InputFile, reading: _Reading) -> Batch:
    spec = reading.spec
    tensor, placements = to_tensor(
        [surface for _, _, surface in frames],
        spec.size_wh,
        dtype=spec.dtype,
        normalization=spec.normalization,
        layout=spec.layout,
        padding=spec.padding,
        pad=spec.pad,
        interpolation=spec.interpolation,
    )
    columns: Batch = {
        "tensor": cast("NDArray[Any]", tensor),
        "pts_ns": np.array([frame.pts for _, frame, _ in frames], np.int64),
        "frame": np.array([index for index, _, _ in frames], np.int64),
        "source": np.array([file.shown] * len(frames), object),
        "placement": np.stack([placement_row(placement) for placement in placements]),
    }
    if reading.objects is not None:
        known = [frame.get_detections() for _, frame, _ in frames]
        boxes = [
            np.asarray(place(one.xyxy.astype(np.float64), placement), np.float64).reshape(-1, 4)
            for one, placement in zip(known, placements, strict=True)
        ]
        columns |= {"boxes_xyxy": _ragged(boxes), "labels": _ragged([one.labels.astype(str) for one in known])}
    return columns


def _ragged(arrays: Sequence[NDArray[Any]]) -> NDArray[np.object_]:
    """Return arrays of several lengths as one column."""
    column = np.empty(len(arrays), object)
    for index, one in enumerate(arrays):
        column[index] = one
    return column
