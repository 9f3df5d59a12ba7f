"""The actors of a module: one slot each, which Ray fills with a process, and fills again when that is gone."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Final

from picasso.cluster.lease import Tenancy
from picasso.cluster.messages import Pulse, Terms
from picasso.cluster.worker import Worker
from picasso.primitives.field_texts import explain_fields as _explain_fields

PULSE_S: Final = 1.0
"""Seconds from one question how an actor is to the next."""
CALLS: Final = 16
"""Calls that an actor answers at once, beside those that ask how it is and that stop it."""
WORD: Final = "word"
"""The threads of an actor that say how it is and that stop it: no other call, which may take long, is before them."""
OWN: Final = {
    "CPU": "say cpus",
    "GPU": "say gpus",
    "memory": "Ray counts it itself",
    "object_store_memory": "Ray counts it itself",
}
"""Resources that Ray has of itself, and what to do instead of naming them."""
DEATHS: Final = 10
"""Calls in a row that Ray answers with the actor's death, until it is given up: it starts it no more."""
logger = logging.getLogger("picasso.cluster")


@dataclass(frozen=True, slots=True)
class Needs:
    """What Ray reserves for each actor, and so on which nodes it may be."""

    cpus: float = 1.0
    """Processors; fractions are allowed."""
    gpus: float = 0.0
    """GPUs; 0.25 lets four actors share one."""
    resources: Mapping[str, float] = field(default_factory=dict)
    """Custom resources of the cluster, by name."""

    def __post_init__(self) -> None:
        for name in self.resources:
            if name in OWN:
                raise ValueError(f"Needs.resources: {name} is no custom resource: {OWN[name]}")
        for name, amount in {"cpus": self.cpus, "gpus": self.gpus, **self.resources}.items():
            if not 0 <= amount < float("inf"):
                raise ValueError(f"Needs.{name} = {amount}: expected an amount of at least 0")
            if name == "gpus" and amount > 1 and amount != int(amount):
                raise ValueError(f"Needs.{name} = {amount}: expected a fraction of one, or a whole number")


class Slot:
    """One actor, through all its processes. For the thread of the head."""

    def __init__(self, name: str, handle: Any, lease_s: float) -> None:
        """Take an actor that Ray was asked for."""
        self.name = name
        self.handle = handle
        self.tenancy: Tenancy | None = None
        """Of the process that is there; None while none is known."""
        self.pulse: Pulse | None = None
        """The newest answer of that process."""
        self.error = ""
        """Why it cannot be, where Ray gave it up."""
        self.restarts = 0
        self._lease_s = lease_s
        self._asked: Any = None
        self._asked_s = float("-inf")
        self._condemned: set[str] = set()
        """Processes whose lease was over once: they may have nothing any more, whenever they answer."""
        self._deaths = 0
        self._was_there = False

    @property
    def is_ready(self) -> bool:
        """Whether sources may be given to it: its process runs, and has a lease."""
        return (
            self.tenancy is not None
            and self.tenancy.granted_s is not None
            and self.pulse is not None
            and self.pulse.state == "running"
        )

    @property
    def incarnation(self) -> str | None:
        """The process that is there; None while none is known."""
        return None if self.tenancy is None else self.tenancy.incarnation

    def ask(self, now_s: float) -> None:
        """Ask how it is, when it is time for that and the answer before has come; that extends its lease."""
        if self._asked is not None or self.error or now_s < self._asked_s + PULSE_S:
            return
        self._asked_s = now_s
        if self.tenancy is None:
            self._asked = self.handle.pulse.options(concurrency_group=WORD).remote()
        else:
            words = self.tenancy.incarnation, self.tenancy.grant()
            self._asked = self.handle.pulse.options(concurrency_group=WORD).remote(*words)

    def hear(self, ray: ModuleType, now_s: float) -> Iterator[tuple[str, Pulse | None]]:
        """Take an answer, if one has come.

        Yields:
            ``lost`` where the process that was there is gone, and ``pulse`` with the answer of the one that is there.
        """
        if self._asked is not None and ray.wait([self._asked], timeout=0)[0]:
            asked, self._asked = self._asked, None
            try:
                pulse: Pulse = ray.get(asked)
            except ray.exceptions.ActorUnavailableError:
                pass  # it restarts, or cannot be reached for now
            except ray.exceptions.RayActorError as error:
                self._deaths += 1
                if not self._was_there or self._deaths >= DEATHS:
                    self.error = _reason(error)
            except ray.exceptions.RayTaskError as error:
                logger.warning("%s does not say how it is: %s", self.name, _reason(error))
            else:
                self._deaths, self._was_there = 0, True
                if pulse.incarnation in self._condemned:
                    return
                if self.tenancy is not None and self.tenancy.incarnation != pulse.incarnation:
                    yield "lost", None
                    self._forget()
                if self.tenancy is None:
                    self.tenancy = Tenancy(pulse.incarnation, self._lease_s, now_s, pulse.stamp_s)
                self.tenancy.answer(pulse.stamp_s, now_s)
                self.pulse = pulse
                yield "pulse", pulse
        if self.tenancy is not None and self.tenancy.is_over(now_s) and self.tenancy.granted_s is not None:
            yield "lost", None
            self._forget()

    def _forget(self) -> None:
        if self.tenancy is not None:
            self._condemned.add(self.tenancy.incarnation)
        self.tenancy, self.pulse = None, None
        self.restarts += 1
        if self._asked is not None:
            self._asked = None  # what it may still answer is of a process that is over

    def describe(self) -> dict[str, Any]:
        """Return what ``/actors`` says of it."""
        pulse = self.pulse
        return {
            "actor": self.name,
            "node": None if pulse is None else pulse.node,
            "pid": None if pulse is None else pulse.pid,
            "state": "failed" if self.error else "starting" if pulse is None else pulse.state,
            "error": self.error or (pulse.failure if pulse is not None else "") or None,
            "restarts": self.restarts,
            "sources": 0 if pulse is None else len(pulse.sources),
            "addresses": {} if pulse is None else dict(pulse.addresses),
            "cpu_s": None if pulse is None else round(pulse.cpu_s, 3),
        }


def start_actor(ray: ModuleType, terms: Terms, needs: Needs) -> Slot:
    """Ask Ray for an actor; it restarts it as often as it is lost, where the resources are."""
    kind = ray.remote(
        num_cpus=needs.cpus,
        num_gpus=needs.gpus,
        resources=dict(needs.resources) or None,
        max_restarts=-1,
        max_task_retries=0,
        max_concurrency=CALLS,
        concurrency_groups={WORD: 2},
        scheduling_strategy="SPREAD",
    )(Worker)
    return Slot(terms.actor, kind.remote(terms), terms.lease_s)


def _reason(error: BaseException) -> str:
    """Return what an error of Ray says in one line: the newest cause, without the trace of the other process."""
    cause = getattr(error, "cause", None)
    text = str(cause if cause is not None else error)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__


def wait_for(ray: ModuleType, references: list[Any], timeout_s: float) -> list[Any]:
    """Return what calls have answered within a time; an error stands where no answer came."""
    found: list[Any] = []
    deadline_s = time.monotonic() + timeout_s
    for reference in references:
        try:
            found.append(ray.get(reference, timeout=max(deadline_s - time.monotonic(), 0.01)))
        except Exception as error:  # noqa: BLE001 - one actor that is gone keeps no answer of the others back
            found.append(error)
    return found


_explain_fields(globals())
