"""Counters and gauges of users: values by labels, bounded, and what is exported of them."""

from __future__ import annotations

import logging
import math
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Collection, Iterator, Mapping, MutableMapping, Sequence
from typing import Any, ClassVar, Final, final

from picasso.observe.names import LABELS, is_taken

MOST_SERIES: Final = 1_000
"""Values of one metric with different labels; those that were set longest ago give way to new ones."""
SOURCE_LABEL: Final = "source_id"
"""Values with this label end with the source that it names."""
_NAME: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL: Final = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*")
logger: logging.Logger = logging.getLogger("picasso.observe")

Labels = tuple[str, ...]


class UserMetric:
    """A number that a user counts or sets, or one for each combination of labels. Any thread."""

    kind: ClassVar[str] = ""

    def __init__(self, name: str, description: str = "", labelnames: Sequence[str] = ()) -> None:
        """Begin without a value.

        Args:
            name: As it is exported; letters, digits and underscores. A counter gets ``_total`` behind it.
            description: What it counts.
            labelnames: Names of the labels, in the order in which their values are given.

        Raises:
            ValueError: A name has other characters, or two labels have one name.
        """
        names = (labelnames,) if isinstance(labelnames, str) else tuple(labelnames)
        if not _NAME.fullmatch(name):
            raise ValueError(f"{type(self).__name__}: name {name!r}: expected letters, digits and underscores")
        for label in names:
            if not _LABEL.fullmatch(label) or names.count(label) > 1 or label == "le":
                raise ValueError(f"{type(self).__name__} {name!r}: labelnames = {names!r}: {label!r} cannot be a label")
        self._name, self._description, self._labelnames = name, description, names
        self._values: OrderedDict[Labels, tuple[float, float, float | None]] = OrderedDict()
        self._lock = threading.Lock()
        self._has_warned = False

    @property
    def name(self) -> str:
        """Its name."""
        return self._name

    @property
    def description(self) -> str:
        """What it counts."""
        return self._description

    @property
    def labelnames(self) -> Labels:
        """Names of its labels."""
        return self._labelnames

    @property
    def values(self) -> dict[Labels, tuple[float, float]]:
        """Value and time of its newest change, seconds since 1970, by values of its labels."""
        with self._lock:
            return {labels: (value, time_s) for labels, (value, time_s, _given_s) in self._values.items()}

    def samples(self) -> list[tuple[Labels, float, float | None]]:
        """Return values of labels, value, and the time that the user gave, seconds since 1970, or None."""
        with self._lock:
            return [(labels, value, given_s) for labels, (value, _time_s, given_s) in self._values.items()]

    def drop_sources(self, gone: Collection[str]) -> None:
        """Forget the values that belong to sources which are ``gone``, by the label ``source_id``."""
        if SOURCE_LABEL not in self._labelnames:
            return
        place = self._labelnames.index(SOURCE_LABEL)
        with self._lock:
            for labels in [one for one in self._values if one[place] in gone]:
                del self._values[labels]

    def adopt(self, other: UserMetric) -> None:
        """Go on with the values of another metric, where it is of the same kind and has the same labels."""
        if type(other) is type(self) and other.labelnames == self.labelnames:
            with other._lock:
                values = OrderedDict(other._values)
            with self._lock:
                self._values = OrderedDict({**values, **self._values})

    def _labels(self, labels: Sequence[object]) -> Labels:
        given = (labels,) if isinstance(labels, str) else tuple(map(str, labels))
        if len(given) != len(self._labelnames):
            raise ValueError(
                f"{type(self).__name__} {self._name!r}: labels = {given!r}: expected a value for each of "
                f"{self._labelnames!r}"
            )
        return given

    def _put(self, labels: Labels, value: float, timestamp: float | None) -> None:
        """Keep a value; the caller has the lock."""
        self._values[labels] = value, time.time() if timestamp is None else timestamp, timestamp
        self._values.move_to_end(labels)
        if len(self._values) > MOST_SERIES:
            oldest, _ = self._values.popitem(last=False)
            if not self._has_warned:
                self._has_warned = True
                logger.warning(
                    "metric %r: more than %d combinations of labels; %r, set longest ago, is forgotten, and so on",
                    *(self._name, MOST_SERIES, oldest),
                )

    def _number(self, what: str, value: float) -> float:
        number = float(value)
        if math.isnan(number):
            raise ValueError(f"{type(self).__name__} {self._name!r}: {what} = {value!r}: expected a number")
        return number


@final
class Counter(UserMetric):
    """Counts what happens: a number that only grows."""

    kind = "counter"

    def inc(self, amount: float = 1, labels: Sequence[str] = (), timestamp: float | None = None) -> None:
        """Add to the value.

        Args:
            amount: What is added, >= 0.
            labels: A value for each label.
            timestamp: When it happened, seconds since 1970, where that is to be exported.

        Raises:
            ValueError: ``amount`` is negative, or the labels are not as many as the counter has.
        """
        more, key = self._number("amount", amount), self._labels(labels)
        if more < 0:
            raise ValueError(f"Counter {self._name!r}: amount = {amount!r}: a counter only grows")
        with self._lock:
            before = self._values.get(key)
            self._put(key, more + (before[0] if before else 0.0), timestamp)

    def set(self, value: float, labels: Sequence[str] = (), timestamp: float | None = None) -> None:
        """Set the value.

        Args:
            value: The new value, not less than the old one.
            labels: A value for each label.
            timestamp: When it was so, seconds since 1970, where that is to be exported.

        Raises:
            ValueError: ``value`` is less than before, or the labels are not as many as the counter has.
        """
        number, key = self._number("value", value), self._labels(labels)
        with self._lock:
            before = self._values.get(key, (0.0,))[0]
            if number < before:
                raise ValueError(f"Counter {self._name!r}: value = {value!r}: it was {before:g}, and only grows")
            self._put(key, number, timestamp)


@final
class Gauge(UserMetric):
    """Tells how much of something there is: a number that rises and falls."""

    kind = "gauge"

    def set(self, value: float, labels: Sequence[str] = (), timestamp: float | None = None) -> None:
        """Set the value.

        Args:
            value: The new value.
            labels: A value for each label.
            timestamp: When it was so, seconds since 1970, where that is to be exported.

        Raises:
            ValueError: The labels are not as many as the gauge has, or ``value`` is no number.
        """
        number, key = self._number("value", value), self._labels(labels)
        with self._lock:
            self._put(key, number, timestamp)


@final
class Shelf(MutableMapping[str, Any]):
    """The metrics of one element, by the keys that its code gives them; each key and each name once."""

    def __init__(self) -> None:
        """Begin empty, and without a module."""
        self._metrics: dict[str, UserMetric] = {}
        self._all: AllMetrics | None = None
        self.owner: object = None
        """The element; code that is loaded again has another shelf and the same owner."""

    def open(self, all_metrics: AllMetrics, owner: object) -> None:
        """Join those of a module.

        Raises:
            ValueError: A name is in use.
        """
        self._all, self.owner = all_metrics, owner
        for metric in self._metrics.values():
            all_metrics.register(metric, self)

    def __getitem__(self, key: str) -> Any:
        if key not in self._metrics:
            raise KeyError(f"no metric {key!r}; there are: {', '.join(map(repr, self._metrics)) or 'none'}")
        return self._metrics[key]

    def __setitem__(self, key: str, metric: Any) -> None:
        if not isinstance(metric, UserMetric):
            raise TypeError(f"metrics[{key!r}]: expected a Counter or a Gauge, got {metric!r:.80}")
        if key in self._metrics and self._metrics[key] is not metric:
            raise ValueError(f"metrics[{key!r}] is there already; a metric is registered once")
        if self._all is not None:
            self._all.register(metric, self)
        self._metrics[key] = metric

    def __delitem__(self, key: str) -> None:
        metric = self[key]
        if self._all is not None:
            self._all.release(metric)
        del self._metrics[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._metrics)

    def __len__(self) -> int:
        return len(self._metrics)


@final
class AllMetrics:
    """The metrics of all elements of a module, each name once. Any thread."""

    def __init__(self, *, is_exported: bool) -> None:
        """Begin with none.

        Args:
            is_exported: Whether anything reads them; else a warning says, once, that values are only kept.
        """
        self._is_exported = is_exported
        self._metrics: dict[str, tuple[UserMetric, Shelf]] = {}
        self._lock = threading.Lock()

    def register(self, metric: UserMetric, shelf: Shelf) -> None:
        """Take a metric of a shelf.

        Raises:
            ValueError: Its name is in use, by other code than an older version of the shelf's own.
        """
        key = metric.name.removesuffix("_total")
        with self._lock:
            known, of = self._metrics.get(key, (None, None))
            is_older = known is not None and of is not shelf and of is not None and of.owner is shelf.owner
            if is_taken(key) or (known is not None and known is not metric and not is_older):
                raise ValueError(f"metric {metric.name!r}: the name is in use; a metric is registered once")
            is_first = not self._metrics
            if known is not None and known is not metric:
                metric.adopt(known)
            self._metrics[key] = metric, shelf
        if is_first and not self._is_exported:
            logger.warning(
                "metric %r: nothing exports it; values are kept. parameters.telemetry.metrics.provider exports them",
                metric.name,
            )

    def release(self, metric: UserMetric) -> None:
        """Forget a metric."""
        with self._lock:
            self._metrics.pop(metric.name.removesuffix("_total"), None)

    def drop_sources(self, gone: Collection[str]) -> None:
        """Forget the values of sources that are ``gone``."""
        for metric in self.all() if gone else ():
            metric.drop_sources(gone)

    def all(self) -> list[UserMetric]:
        """Return every metric, in the order of registration."""
        with self._lock:
            return [metric for metric, _shelf in self._metrics.values()]


def label_faults(labels: Mapping[Any, Any]) -> list[tuple[str, str]]:
    """Return what is wrong with ``labels`` that every series gets: the name of the label, and what about it."""
    found = []
    for name, value in labels.items():
        if not isinstance(name, str) or not _LABEL.fullmatch(name):
            found.append((str(name), "expected a name of letters, digits and underscores"))
        elif name in LABELS:
            found.append((name, "series have this label of their own"))
        elif not isinstance(value, str | int | float | bool):
            found.append((name, f"expected a text, got {type(value).__name__}"))
    return found
