"""One frame through everything before the run, so that its figures are not those of a compiler.

Where no kernels were built with the package, they are compiled on the first run on a machine, and read from disk on
every later one.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from picasso.cli.progress import Progress
from picasso.cli.run import Annotate, Frames, Job, OnRender, run
from picasso_kernels.cpu.forms import form

if TYPE_CHECKING:
    from picasso.engine import SourceSpec
    from picasso.primitives import VideoFrame
    from picasso.surface import SurfaceView


def rehearse(jobs: Sequence[Job], progress: Progress, *, on_render: OnRender | None = None) -> None:
    """Run the first frame of each job, with an object of every kind that its spec draws; nothing is kept.

    What fails here fails in the run as well, which is there to say so.
    """
    is_compiled_here = form().source == "jit"
    progress.note(f"Getting ready{'; the first run on a machine compiles its kernels' if is_compiled_here else ''}.")
    try:
        run([_first_frame(job) for job in jobs], progress.getting_ready(), on_render=on_render)
    except BaseException:  # interrupted: the run that would use the files never comes
        for file in itertools.chain.from_iterable(job.files for job in jobs):
            file.abandon()
        raise


def _first_frame(job: Job) -> Job:
    @contextmanager
    def open_frames() -> Iterator[Frames]:
        with (job.rehearse or job.open_frames)() as frames:
            yield itertools.islice(frames, 1)

    # the reader goes on after the rehearsal, so nothing here may stop it
    return replace(job, open_frames=open_frames, files=(), annotate=_examples(job.spec), stop=None, verify=None)


def _examples(spec: SourceSpec) -> Annotate:
    """Adds an object of every kind that a spec draws, in the middle of the frame."""
    kinds = [kind for kind, _draw in spec.draw.items()]
    kinds += [(namespace, "object") for namespace, _draw in spec.draw.defaults()]

    def annotate(frame: VideoFrame, _surface: SurfaceView) -> None:
        quarter_x, quarter_y = frame.width / 4, frame.height / 4
        box_xyxy = [quarter_x, quarter_y, 3 * quarter_x, 3 * quarter_y]
        for namespace, label in kinds:
            frame.add_detections(namespace, [box_xyxy], label)

    return annotate
