"""When a source that ended or failed is opened again."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import Final

from picasso.errors import SpecError


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """How a source is opened again: exponential back-off up to a cap, spread by chance.

    The wait before attempt ``n`` (from 1) is ``first_s * factor ** (n - 1)``, at most ``most_s``, times a factor drawn
    evenly from ``1 - jitter … 1 + jitter``, so that a hundred cameras behind one switch do not come back at once. A
    frame sets ``n`` back to 1.
    """

    first_s: float = 0.5
    """Seconds before the first attempt, > 0."""
    most_s: float = 30.0
    """Most seconds before an attempt, jitter aside, ≥ ``first_s``."""
    factor: float = 2.0
    """Growth from one attempt to the next, ≥ 1."""
    jitter: float = 0.2
    """Share of the wait that chance adds or takes, 0 ≤ jitter < 1."""
    attempts: int | None = None
    """Attempts in a row without a frame after which the source has failed; 0 never restarts, None never gives up."""
    on_end: bool = False
    """Whether a source that ended in order is opened again, too, as a camera is."""
    reject_s: float | None = None
    """Seconds that a source is left alone whose content cannot be decoded, ≥ 0; None treats it as any lost one."""

    def __post_init__(self) -> None:
        checks = (
            ("first_s", self.first_s, self.first_s > 0, "seconds > 0"),
            ("most_s", self.most_s, self.most_s >= self.first_s, f"seconds ≥ first_s = {self.first_s}"),
            ("factor", self.factor, self.factor >= 1, "a factor ≥ 1"),
            ("jitter", self.jitter, 0 <= self.jitter < 1, "a share in 0 ≤ jitter < 1"),
            ("attempts", self.attempts, self.attempts is None or self.attempts >= 0, "a count ≥ 0, or None"),
            ("reject_s", self.reject_s, self.reject_s is None or self.reject_s >= 0, "seconds ≥ 0, or None"),
        )
        for name, value, is_right, expected in checks:
            if not is_right:
                raise SpecError(f"RestartPolicy.{name} = {value}: expected {expected}")

    def delay_s(self, attempt: int, chance: random.Random) -> float | None:
        """Return the seconds to wait before an attempt, or None to give up.

        Args:
            attempt: 1 for the first attempt after a frame, or after the start.
            chance: Where the jitter comes from.
        """
        if self.attempts is not None and attempt > self.attempts:
            return None
        growth = math.log(self.factor)  # by logarithms: a power may be larger than any float
        is_capped = growth * (attempt - 1) >= math.log(self.most_s / self.first_s)
        plain_s = self.most_s if is_capped else self.first_s * self.factor ** (attempt - 1)
        return plain_s * chance.uniform(1 - self.jitter, 1 + self.jitter)


NEVER: Final = RestartPolicy(attempts=0)
"""A source that ends or fails stays so."""
