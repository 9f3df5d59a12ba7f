"""Which of a model's candidates are objects: thresholds, sizes, suppression and limits, compiled once for a model."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from picasso.errors import ModelError
from picasso.primitives.nms import nms_of_sorted

MAX_CANDIDATES = 30_000
"""Candidates of a picture that suppression looks at, the most certain ones: more would take seconds."""

MOST_CLASSES = 1 << 20
"""Classes that rules may number: there is a table of all up to the highest one."""

Filter = Callable[[NDArray[np.float32]], NDArray[Any]]
"""A user's own selector: of rows ``(N, 6)`` or ``(N, 7)``, class, confidence, centre, size, angle, those that stay."""


@dataclass(frozen=True, slots=True)
class ObjectRule:
    """What happens to the candidates of one class.

    Raises:
        ModelError: A number is out of its range, or a least size is above the largest.
    """

    class_id: int
    """Number of the class in the model's output, from 0."""
    label: str
    """What its objects are called. Classes of one label are one class: the first one, by its rule."""
    confidence: float = 0.5
    """A candidate stays if the model is more certain than this, 0 … 1."""
    iou: float | None = 0.5
    """Of candidates that overlap by more than this share, 0 … 1, the best one stays; None for no suppression."""
    top_k: int | None = None
    """The most objects of this class in a picture, the most certain ones; None for any number."""
    min_width: float = 0
    """Pixels of the source, as the other sizes; of rotated boxes along their own sides."""
    min_height: float = 0
    """Smaller objects are left out, pixels of the source."""
    max_width: float = math.inf
    """Larger objects are left out, pixels of the source."""
    max_height: float = math.inf
    """Larger objects are left out, pixels of the source."""

    def __post_init__(self) -> None:
        place = f"class {self.class_id} ({self.label!r})"
        if not 0 <= self.class_id < MOST_CLASSES:
            raise ModelError(f"{place}: class_id: expected 0 to {MOST_CLASSES - 1}")
        for name, share in (("confidence", self.confidence), ("iou", self.iou)):
            if share is not None and not 0 <= share <= 1:
                raise ModelError(f"{place}: {name}: expected 0 to 1, got {share}")
        if self.top_k is not None and (not hasattr(self.top_k, "__index__") or self.top_k < 1):
            raise ModelError(f"{place}: top_k: expected 1 or more, or None, got {self.top_k}")
        for side in ("width", "height"):
            least, most = getattr(self, f"min_{side}"), getattr(self, f"max_{side}")
            if not 0 <= least <= most:
                raise ModelError(f"{place}: expected 0 <= min_{side} <= max_{side}, got {least} and {most}")


class Selected(NamedTuple):
    """The candidates that are objects, the most certain one first."""

    rows: NDArray[np.intp]
    """``(N,)`` which candidates."""
    class_ids: NDArray[np.int64]
    """``(N,)`` of the class that stands for the label."""
    labels: NDArray[np.object_]
    """``(N,)`` of str."""


class Selector:
    """The rules of all classes of a model.

    Args:
        rules: One for each class; a class without one is discarded. None takes all classes by one rule.
        class_names: Labels of classes where there are no rules; a class without one is called by its number.
        confidence: Of the one rule, 0 … 1.
        iou: Of the one rule, as in ``ObjectRule``.
        top_k: Of the one rule: how many rows of a class stay, at most.
        agnostic: Whether suppression compares objects of different classes too, by the smallest share of the rules.
        max_objects: The most objects in a picture, the most certain ones; None for any number.
        filters: A user's own selectors by class id; they come behind thresholds and sizes, instead of
            suppression.

    Raises:
        ModelError: A class has two rules, or a number is out of its range.
    """

    def __init__(
        self,
        rules: Iterable[ObjectRule] | None = None,
        *,
        class_names: Sequence[str] = (),
        confidence: float = 0.5,
        iou: float | None = 0.5,
        top_k: int | None = None,
        agnostic: bool = False,
        max_objects: int | None = None,
        filters: dict[int, Filter] | None = None,
    ) -> None:
        self._rest: ObjectRule | None = None
        if rules is None:
            self._rest = ObjectRule(0, "", confidence, iou, top_k)
            rules = [ObjectRule(number, name, confidence, iou, top_k) for number, name in enumerate(class_names)]
        if max_objects is not None and max_objects < 1:
            raise ModelError(f"max_objects: expected 1 or more, or None, got {max_objects}")
        self.rules: tuple[ObjectRule, ...] = tuple(rules)
        """One for each class, in the order they were given."""
        self.agnostic: bool = agnostic
        self.max_objects: int | None = max_objects
        self._filters = dict(filters or {})
        self._compile()

    def _compile(self) -> None:
        """Make tables by class id: the class that stands for it, −1 for none, and the numbers of its rule."""
        count = 1 + max((rule.class_id for rule in self.rules), default=-1)
        self._merged = np.full(count, -1, np.int64)
        self._limits = np.full((count, 5), np.nan)
        self._of_class: dict[int, ObjectRule] = {}
        first: dict[str, int] = {}
        for rule in self.rules:
            if self._merged[rule.class_id] >= 0:
                raise ModelError(f"class {rule.class_id}: there are two rules for it")
            stands = first.setdefault(rule.label, rule.class_id)
            self._merged[rule.class_id] = stands
            self._of_class.setdefault(stands, rule)
            self._limits[rule.class_id] = _limits(self._of_class[stands])
        known = [*self._of_class.values(), *([self._rest] if self._rest else [])]
        self.floor: float = min((rule.confidence for rule in known), default=1.0)
        """A candidate that is not more certain than this is none, of any class."""
        self._sizes_matter = any(_limits(rule)[1:] != (0, 0, math.inf, math.inf) for rule in known)
        self._ious = {rule.iou for rule in known}
        self._is_limited = any(rule.top_k is not None for rule in known)
        self._is_one_rule = self._rest is not None and len(first) == len(self.rules)

    def class_ids(self) -> list[int] | None:
        """Return the classes of the model that are looked at, None for all."""
        return None if self._rest else np.flatnonzero(self._merged >= 0).tolist()

    def label_of(self, class_id: int) -> str:
        """Return what objects of a class are called; its number where no rule says."""
        rule = self._of_class.get(class_id)
        return str(class_id) if rule is None else rule.label

    def select(
        self,
        xywha: NDArray[np.floating[Any]],
        confidences: NDArray[np.floating[Any]],
        class_ids: NDArray[np.integer[Any]],
        scale_xy: tuple[float, float] = (1.0, 1.0),
    ) -> Selected:
        """Say which candidates of one picture are objects.

        Args:
            xywha: ``(N, 5)`` centre, size, angle in degrees; NaN for no angle. Or ``(N, 4)``, upright.
            confidences: ``(N,)``, 0 … 1; what is not finite is no object.
            class_ids: ``(N,)`` numbers of the model's classes.
            scale_xy: Source pixels for each pixel of the boxes, for the sizes of the rules.
        """
        if not len(confidences):
            return Selected(np.zeros(0, np.intp), np.zeros(0, np.int64), np.empty(0, object))
        good = np.isfinite(_sums(xywha, confidences))
        if self._is_one_rule:
            merged = np.asarray(class_ids).astype(np.int64, copy=False)
            good &= confidences > self.floor
            good &= merged >= 0
        else:
            merged, limits = self._looked_up(np.asarray(class_ids))
            good &= (merged >= 0) & (confidences > limits[:, 0])
            if self._sizes_matter:
                width, height = xywha[:, 2] * scale_xy[0], xywha[:, 3] * scale_xy[1]
                good &= (width >= limits[:, 1]) & (height >= limits[:, 2])
                good &= (width <= limits[:, 3]) & (height <= limits[:, 4])
        rows = np.flatnonzero(good)
        rows = rows[np.argsort(-confidences[rows], kind="stable")][:MAX_CANDIDATES]
        if rows.size:
            rows = rows[self._suppressed(xywha[rows], confidences[rows], merged[rows])]
            if self._is_limited:
                rows = rows[self._limited(merged[rows])]
            rows = rows[: self.max_objects]
        classes = merged[rows]
        labels = np.empty(len(rows), object)
        labels[:] = [self.label_of(number) for number in classes.tolist()]
        return Selected(rows, classes, labels)

    def _looked_up(self, class_ids: NDArray[np.integer[Any]]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the class that stands for each candidate's, and the numbers of its rule."""
        classes = class_ids.astype(np.int64)
        known = (classes >= 0) & (classes < len(self._merged))
        if known.all() and len(self._merged):
            return self._merged[classes], self._limits[classes]
        merged = np.where(classes >= 0, classes, -1) if self._rest else np.full(len(classes), -1, np.int64)
        limits = np.full((len(classes), 5), _limits(self._rest) if self._rest else np.nan)
        merged[known], limits[known] = self._merged[classes[known]], self._limits[classes[known]]
        return merged, limits

    def _suppressed(
        self, xywha: NDArray[Any], confidences: NDArray[Any], classes: NDArray[np.int64]
    ) -> NDArray[np.intp]:
        """Return which of the candidates, sorted, are left."""
        boxes = _comparable(xywha)
        if self._filters:
            parts = [self._of_one_class(boxes, xywha, confidences, classes, number) for number in np.unique(classes)]
            return np.sort(np.concatenate(parts))
        if len(self._ious) == 1:
            (iou,) = self._ious
            if iou is None:
                return np.arange(len(boxes))
            return nms_of_sorted(boxes, iou, None if self.agnostic else classes)
        if self.agnostic:
            known = [iou for iou in self._ious if iou is not None]
            return nms_of_sorted(boxes, min(known))
        parts = [self._of_one_class(boxes, xywha, confidences, classes, number) for number in np.unique(classes)]
        return np.sort(np.concatenate(parts))

    def _of_one_class(
        self,
        boxes: NDArray[Any],
        xywha: NDArray[Any],
        confidences: NDArray[Any],
        classes: NDArray[np.int64],
        number: int,
    ) -> NDArray[np.intp]:
        mine = np.flatnonzero(classes == number)
        if number in self._filters:
            return mine[_asked(self._filters[number], number, confidences[mine], xywha[mine])]
        rule = self._of_class.get(number, self._rest)
        if rule is None or rule.iou is None:
            return mine
        return mine[nms_of_sorted(boxes[mine], rule.iou)]

    def _limited(self, classes: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which of the candidates, sorted, are among the first ``top_k`` of their class."""
        stays = np.ones(len(classes), bool)
        for number in np.unique(classes):
            rule = self._of_class.get(int(number), self._rest)
            if rule is not None and rule.top_k is not None:
                stays[np.flatnonzero(classes == number)[rule.top_k :]] = False
        return stays


@np.errstate(invalid="ignore", over="ignore")
def _sums(xywha: NDArray[Any], confidences: NDArray[Any]) -> NDArray[Any]:
    """Return a number for each candidate that is not finite where one of its own is not."""
    total: NDArray[Any] = xywha[:, 0] + xywha[:, 1]
    for part in (xywha[:, 2], xywha[:, 3], confidences):
        total += part
    return total


def _limits(rule: ObjectRule) -> tuple[float, float, float, float, float]:
    return rule.confidence, rule.min_width, rule.min_height, rule.max_width, rule.max_height


def _comparable(xywha: NDArray[Any]) -> NDArray[Any]:
    """Return corners where no box lies askew: they are compared in a fifth of the time."""
    if xywha.shape[1] == 5 and (np.nan_to_num(xywha[:, 4]) % 180 != 0).any():
        return xywha
    half = xywha[:, 2:4] / 2
    return np.concatenate([xywha[:, :2] - half, xywha[:, :2] + half], axis=1)


def _asked(user: Filter, number: int, confidences: NDArray[Any], xywha: NDArray[Any]) -> NDArray[np.intp]:
    """Return which rows a user's selector gives back: it may return them, their numbers are not in them."""
    given = np.column_stack([np.full(len(xywha), number), confidences, xywha]).astype(np.float32)
    numbered = {row.tobytes(): index for index, row in reversed(list(enumerate(given)))}
    returned = np.ascontiguousarray(user(given.copy()), np.float32).reshape(-1, given.shape[1])
    try:
        return np.array([numbered[row.tobytes()] for row in returned], np.intp)
    except KeyError:
        raise ModelError(f"class {number}: the selector returned a row that it was not given") from None
