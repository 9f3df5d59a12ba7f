"""A model in a pipeline: which frames it looks at, what it finds, and what happens when it fails."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from picasso.module.elements.base import Batch
from picasso.module.elements.blame import place_of, words_of
from picasso.module.elements.loading import ElementError
from picasso.module.elements.models.choosing import Regions, regions_of
from picasso.module.elements.models.views import View
from picasso.module.elements.models.writing import attributes_of, set_attributes, write_frame_objects, write_objects

if TYPE_CHECKING:
    from picasso.infer import Label
    from picasso.infer.inference import Part
    from picasso.module.config import ElementConfig
    from picasso.module.elements.base import StreamEvent
    from picasso.module.elements.models.preparing import Prepared
    from picasso.module.meta import Frame, ObjectMeta
    from picasso.primitives import Detections
    from picasso.transform import Placement

STOP: Final = "stop"
DROP_FRAME: Final = "drop_frame"
logger: logging.Logger = logging.getLogger("picasso.module")


class _Job(NamedTuple):
    """One frame that is looked at."""

    view: View
    regions: Regions


class _Found(NamedTuple):
    """What was found in one frame, or in one object of it."""

    job: _Job
    target: ObjectMeta | None
    """The object that was looked at; None for the frame itself."""
    objects: Detections | None
    labels: list[list[Label]]
    """Of the target; with a converter of each object."""
    placement: Placement | None
    """Where pixels of the surface lie in the tensor, in whose pixels objects are; None where those are the frame's."""


class ModelElement:
    """One model of a pipeline. All methods are called on one thread at a time.

    A model that fails on a batch is asked again for each of its frames, so that one bad frame costs no other. What a
    frame still raises is handled by ``on_error``: ``stop`` raises an ``ElementError``, ``drop_frame`` drops the frame,
    ``pass`` lets it go on without what the model would have found. What cannot be
    decoded writes nothing.
    """

    is_pyfunc = False
    has_own_thread = True

    def __init__(self, config: ElementConfig, load: Callable[[], Prepared]) -> None:
        """Load the model.

        Args:
            config: The element.
            load: Loads it.

        Raises:
            ConfigError: Its files, its graph and its block do not fit.
        """
        self.config = config
        self.name: str = config.name or config.element
        self.stage: str = self.name
        self.prepared: Prepared = load()
        self.errors: int = 0
        self.looked_at: int = 0
        """Frames, or objects of frames, that the model was asked about."""
        self.model_ns: int = 0
        """How long ONNX Runtime has computed, in nanoseconds."""
        self.batch_sizes: Counter[int] = Counter()
        """How many calls of the model had a given number of frames or objects."""
        self._counts: dict[str, int] = {}

    def start(self) -> None:
        """Do nothing: the model is loaded."""

    def stop(self) -> None:
        """Let the model go."""

    def event(self, event: StreamEvent) -> None:
        """Count from the first frame again where a stream ends."""
        if event.kind in ("source-eos", "source-delete"):
            self._counts.pop(event.source_id, None)

    def process(self, batch: Batch) -> None:
        """Look at the frames of a batch that are not dropped and not skipped.

        Raises:
            ElementError: The model failed, and the policy is to stop.
        """
        jobs: list[_Job] = []
        for frame in batch:
            if frame.is_dropped:
                continue
            if not self._is_due(frame):
                frame.note_skipped(self.name)
                continue
            self._guarded(frame, self._choose, frame, jobs)
        for on_gpu in (False, True):
            same = [job for job in jobs if job.view.surface.is_cuda == on_gpu and not job.view.frame.is_dropped]
            if same:
                self._look(same)

    def _is_due(self, frame: Frame) -> bool:
        interval = self.prepared.model.interval
        if not interval:
            return True
        count = self._counts.get(frame.source_id, 0)
        self._counts[frame.source_id] = count + 1
        return count % (interval + 1) == 0

    def _choose(self, frame: Frame, jobs: list[_Job]) -> None:
        prepared = self.prepared
        if prepared.model.input.is_whole_frame and not frame.has_primary:
            frame.note_skipped(self.name)
            return
        regions = regions_of(frame, prepared.model.input, prepared.prepare_meta)
        if regions is not None:
            jobs.append(_Job(View.of(frame), regions))

    def _look(self, jobs: Sequence[_Job]) -> None:
        """Run the model on frames whose pixels are on one side; one by one where it fails on all together."""
        try:
            results = self._results(jobs)
        except Exception as error:  # noqa: BLE001 - by the policy of the element
            if len(jobs) == 1:
                self._failed(jobs[0].view.frame, error)
                return
            for job in jobs:
                self._look([job])
            return
        for found in results:
            self._guarded(found.job.view.frame, self._write, found)

    def _results(self, jobs: Sequence[_Job]) -> list[_Found]:
        """Return what was found, before anything is written."""
        whole = [job for job in jobs if job.regions.boxes is None]
        parts = [(job, job.regions.boxes) for job in jobs if job.regions.boxes is not None]
        found: list[_Found] = []
        inference, prepared = self.prepared.inference, self.prepared
        if whole:
            for part in inference.of_pictures([prepared.readable(job.view.surface) for job in whole]):
                found += self._decoded(part, [(job, 0) for job in whole])
        if parts:
            for part in inference.of_objects(
                [prepared.readable(job.view.surface) for job, _boxes in parts],
                np.repeat(np.arange(len(parts)), [len(boxes) for _job, boxes in parts]),
                np.concatenate([job.view.to_surface(boxes) for job, boxes in parts]),
                prepare_image=prepared.prepare_image,
            ):
                found += self._decoded(part, [(job, row) for job, boxes in parts for row in range(len(boxes))])
        return found

    def _decoded(self, part: Part, places: Sequence[tuple[_Job, int]]) -> list[_Found]:
        """Decode one call of the model."""
        prepared = self.prepared
        self.looked_at += len(part.kept)
        self.batch_sizes[len(part.kept)] += 1
        self.model_ns += part.model_ns
        outputs = prepared.outputs_of(part.outputs)
        objects = labels = None
        if prepared.object_head is not None:
            objects = prepared.object_head.decode(outputs, prepared.settings, part.scales_xy)
        if prepared.attribute_head is not None:
            labels = prepared.attribute_head.decode(outputs)
        found = []
        for picture, number in enumerate(part.kept.tolist()):
            job, row = places[number]
            placement: Placement | None = part.placements[picture]
            its_objects = None if objects is None else objects[picture]
            its_labels = [[]] if labels is None else [labels[picture]]
            if prepared.converter is not None:
                its_objects, its_labels = prepared.converter.convert(outputs, picture, _roi(job, row))
                placement = None
            found.append(_Found(job, job.regions.objects[row], its_objects, its_labels, placement))
        return found

    def _write(self, found: _Found) -> None:
        view, parent = found.job.view, None if found.target is None else found.target.uid
        if found.objects is None:
            self._attach(view.frame, found.target, found.labels[0])
        elif found.placement is not None:
            write_objects(view, self.name, found.objects, found.placement, parent)
            self._attach(view.frame, found.target, found.labels[0])
        else:
            ids, rows = write_frame_objects(view.frame, self.name, found.objects, parent)
            internal = self.prepared.internal
            attributes = [attributes_of(self.name, found.labels[row], internal) for row in rows.tolist()]
            set_attributes(view.frame, ids.tolist(), attributes)

    def _attach(self, frame: Frame, target: ObjectMeta | None, labels: Sequence[Label]) -> None:
        """Give an object, or the frame's own, the attributes that labels make."""
        if not labels:
            return
        one = frame.primary if target is None else target
        if one is not None:
            for attribute in attributes_of(self.name, labels, self.prepared.internal):
                one.fields.set_attribute(attribute)

    def _guarded(self, frame: Frame, call: Callable[..., object], *arguments: object) -> None:
        try:
            call(*arguments)
        except Exception as error:  # noqa: BLE001 - by the policy of the element
            self._failed(frame, error)

    def _failed(self, frame: Frame, error: Exception) -> None:
        self.errors += 1
        text = f"element {self.name}: {place_of([frame])}{words_of(error)}"
        if self.config.on_error == STOP:
            raise ElementError(text) from error
        if self.errors & (self.errors - 1) == 0:
            logger.error("%s (error no. %d)", text, self.errors, exc_info=error)
        if self.config.on_error == DROP_FRAME:
            frame.drop("policy")


def _roi(job: _Job, row: int) -> tuple[float, float, float, float]:
    """Return left, top, width and height of what was looked at, in pixels of the frame."""
    if job.regions.boxes is None:
        return 0.0, 0.0, float(job.view.frame.width), float(job.view.frame.height)
    left, top, right, bottom = map(float, job.regions.boxes[row])
    return left, top, right - left, bottom - top
