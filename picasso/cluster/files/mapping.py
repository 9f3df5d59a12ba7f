"""Many files through one module: the call for all of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from picasso.cluster.files.digests import module_digest
from picasso.cluster.files.fitting import FittedModule, fitted
from picasso.cluster.files.folder import OutputFolder
from picasso.cluster.files.inputs import InputFile, find_inputs
from picasso.cluster.files.manifest import NAME, Manifest
from picasso.cluster.files.plan import plan
from picasso.cluster.files.processes import ProcessWorkers, Workers
from picasso.cluster.files.results import MapOutcome, MapProgress, PlannedFile
from picasso.cluster.files.running import FIRST_PAUSE_S, STALL_S, MapRun, RunOptions
from picasso.infer.providers import usable_cores

Module = str | os.PathLike[str] | Mapping[str, Any]
"""A module's file, or the tree of one."""
Inputs = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]
"""Files, folders, patterns, lists of files, or addresses; one or several."""


def map_files(
    module: Module,
    inputs: Inputs,
    output: str | os.PathLike[str],
    *,
    workers: int | None = None,
    ray: str | None = None,
    cpus_per_file: float = 1.0,
    gpus_per_file: float = 0.0,
    retries: int = 2,
    first_pause_s: float = FIRST_PAUSE_S,
    stall_s: float | None = STALL_S,
    keep_damaged: bool = False,
    storage_options: Mapping[str, Any] | None = None,
    compat: bool = False,
    on_progress: Callable[[MapProgress], object] | None = None,
) -> MapOutcome:
    """Run a module for each of many files, each once, and say what came of every one.

    A file that fails does not stop the others. What is done is written down in ``manifest.ndjson`` in the folder of the
    results; a later call does what is missing, what has changed, and what has failed. Ctrl-C, a signal or ``kill -9``
    leaves whole results only.

    Args:
        module: The module's file, or the tree of one. Its source is replaced by each file; its sinks write files.
        inputs: Files; folders, for the videos in them; patterns such as ``clips/**/*.mp4``; lists, which end in
            ``.txt``, ``.list`` or ``.lst`` and have one of these a line; addresses that fsspec knows.
        output: The folder of the results. It takes the place of the folder that the locations of all sinks begin with.
        workers: Files at once; by default as many as there are cores, and with Ray as many as there is room for.
        ray: The address of a Ray cluster, ``auto`` or ``local``; None works with processes of this machine.
        cpus_per_file: CPUs that a file takes of a Ray cluster.
        gpus_per_file: GPUs, or a fraction of one, that a file takes of a Ray cluster.
        retries: Further attempts at a file whose error may pass: of a network, a device, memory, a disk, or a process
            that died. A file that cannot be decoded and an element that raises are not tried again.
        first_pause_s: Seconds before a second attempt; each later pause is twice as long, up to a minute.
        stall_s: Seconds without a new frame after which an attempt at a file is given up, as where an element hangs;
            None waits for good.
        keep_damaged: Whether a damaged file is done with what could be decoded of it, instead of failing.
        storage_options: What fsspec's file systems take.
        compat: Whether imports of ``savant`` and ``savant_rs`` are answered.
        on_progress: Told several times a second how far it is, on this thread.

    Raises:
        ConfigError: The module cannot be loaded, has several sources, or sinks that write no files.
        MediaError: There is no input, the folder cannot be written, or another run writes there.
        MissingDependencyError: Ray, fsspec or what an address needs is not installed.
        ValueError: A number is out of its range.
    """
    _check_numbers(workers, retries, cpus_per_file, gpus_per_file)
    if stall_s is not None and not stall_s > 0:
        raise ValueError(f"stall_s = {stall_s}: expected more than 0, or None")
    one = fitted(module)
    options = RunOptions(
        *(module_digest(one.config, compat=compat), retries, keep_damaged, compat, storage_options, first_pause_s),
        stall_s=stall_s,
    )
    with OutputFolder(output) as folder:
        files = _inputs(inputs, folder.path, folder.manifest, storage_options)
        planned = plan(files, folder.manifest, folder.path, options.digest)
        run = MapRun(files, planned, folder, options)
        left = sum(not each.is_done for each in planned)
        if on_progress is not None:
            on_progress(run.progress())
        if not left:
            return run.run(_NoWorkers(), on_progress)
        if ray is not None:
            from picasso.cluster.files.on_ray import ray_workers

            room: AbstractContextManager[Workers] = ray_workers(one, ray, workers, cpus_per_file, gpus_per_file)
        else:
            room = _processes(one, min(workers or usable_cores(), left), folder)
        with room as able:
            return run.run(able, on_progress)


def plan_files(
    module: Module,
    inputs: Inputs,
    output: str | os.PathLike[str],
    *,
    storage_options: Mapping[str, Any] | None = None,
    compat: bool = False,
) -> list[PlannedFile]:
    """Say what ``map_files`` would do with each file, without doing or writing anything.

    Args:
        module: The module's file, or the tree of one.
        inputs: As ``map_files`` takes them.
        output: The folder of the results; it need not exist.
        storage_options: What fsspec's file systems take.
        compat: Whether imports of ``savant`` and ``savant_rs`` are answered.

    Raises:
        ConfigError, MediaError, MissingDependencyError: As of ``map_files``.
    """
    one = fitted(module)
    folder = Path(os.path.abspath(output))
    with Manifest(folder / NAME, writes=False) as manifest:
        files = _inputs(inputs, folder, manifest, storage_options)
        return plan(files, manifest, folder, module_digest(one.config, compat=compat))


@contextmanager
def _processes(module: FittedModule, count: int, folder: OutputFolder) -> Iterator[Workers]:
    workers = ProcessWorkers(module, count, folder.log)
    try:
        yield workers
    finally:
        workers.close()


class _NoWorkers:
    """Does nothing, as there is nothing to do."""

    room = 0

    def give(self, job: object) -> None:
        """Never called."""

    def events(self, timeout_s: float) -> list[Any]:  # noqa: ARG002 - as all workers
        """Return nothing."""
        return []

    def give_up(self, job: object) -> None:
        """Never called."""

    def close(self) -> None:
        """Nothing to end."""


def _inputs(
    inputs: Inputs, folder: Path, manifest: Manifest, storage_options: Mapping[str, Any] | None
) -> list[InputFile]:
    """Return the files that are meant, without results that lie among them."""
    found = find_inputs(_listed(inputs), storage_options=storage_options, known=manifest.names)
    made = {str(folder / name) for record in manifest.done.values() for name in record.outputs}
    return [file for file in found if file.location not in made]


def _listed(inputs: Inputs) -> list[str | os.PathLike[str]]:
    return [inputs] if isinstance(inputs, str | os.PathLike) else list(inputs)


def _check_numbers(workers: int | None, retries: int, cpus: float, gpus: float) -> None:
    if workers is not None and workers < 1:
        raise ValueError(f"workers = {workers}: expected 1 or more")
    if retries < 0:
        raise ValueError(f"retries = {retries}: expected 0 or more")
    for name, value in (("cpus_per_file", cpus), ("gpus_per_file", gpus)):
        if not 0 <= value < float("inf"):
            raise ValueError(f"{name} = {value}: expected 0 or more")
    if cpus == gpus == 0:
        raise ValueError("cpus_per_file = gpus_per_file = 0: Ray would run any number of files at once")
