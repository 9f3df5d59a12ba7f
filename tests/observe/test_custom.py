"""Counters and gauges of users: what they hold, how they are registered, and that they stay bounded."""

from __future__ import annotations

import logging
import math
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "module"))
from test_module_run import FRAMES, no_thread_is_left, pyfunc, tree

from picasso.module import Module
from picasso.module.elements import ElementError
from picasso.module.sinks import MemorySink
from picasso.observe import Counter, Gauge
from picasso.observe.custom import MOST_SERIES, AllMetrics, Shelf
from picasso.primitives import VideoFrame

__all__ = ["no_thread_is_left"]


def test_a_counter_grows_and_a_gauge_is_set() -> None:
    counter, gauge = Counter("n", "what it counts", ("source_id",)), Gauge("g")
    counter.inc(labels=("a",))
    counter.inc(2.5, ("a",))
    counter.set(7, labels=("b",), timestamp=12.5)
    gauge.set(-3)
    assert {labels: value for labels, (value, _time) in counter.values.items()} == {("a",): 3.5, ("b",): 7}
    assert counter.values["b",] == (7, 12.5)
    assert (counter.name, counter.description, counter.labelnames) == ("n", "what it counts", ("source_id",))
    assert gauge.values[()][0] == -3
    assert {labels: given for labels, _value, given in counter.samples()} == {("a",): None, ("b",): 12.5}


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (lambda: Counter("a b"), "name 'a b'"),
        (lambda: Counter(""), "name ''"),
        (lambda: Gauge("g", labelnames=("a", "a")), "'a' cannot be a label"),
        (lambda: Gauge("g", labelnames=("le",)), "'le' cannot be a label"),
        (lambda: Gauge("g", labelnames=("__x",)), "'__x' cannot be a label"),
        (lambda: Counter("c").inc(-1), "amount = -1: a counter only grows"),
        (lambda: Counter("c").inc(math.nan), "amount = nan: expected a number"),
        (lambda: Counter("c").inc(1, ("x",)), r"labels = \('x',\): expected a value for each of \(\)"),
        (lambda: Counter("c", "", ("a", "b")).inc(1, ("x",)), r"expected a value for each of \('a', 'b'\)"),
        (lambda: [one := Counter("c"), one.set(5), one.set(4)], "value = 4: it was 5, and only grows"),
        (lambda: Gauge("g").set(math.nan), "value = nan: expected a number"),
    ],
    ids=range(11),
)
def test_bad_arguments_are_named(call: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        call()


def test_a_name_is_registered_once() -> None:
    everything = AllMetrics(is_exported=True)
    first, second = Shelf(), Shelf()
    first.open(everything, "one element")
    second.open(everything, "another element")
    first["a"] = Counter("n")
    with pytest.raises(ValueError, match=r"metrics\['a'\] is there already"):
        first["a"] = Counter("m")
    with pytest.raises(ValueError, match="metric 'n': the name is in use"):
        first["b"] = Counter("n")
    with pytest.raises(ValueError, match="metric 'n_total': the name is in use"):
        second["a"] = Counter("n_total")
    for taken in ("frame_counter", "frame_counter_total", "stage_queue_length", "picasso_x", "process_cpu_seconds"):
        with pytest.raises(ValueError, match="the name is in use"):
            second["x"] = Gauge(taken)
    with pytest.raises(TypeError, match="expected a Counter or a Gauge, got 5"):
        second["x"] = 5
    with pytest.raises(KeyError, match="no metric 'z'; there are: 'a'"):
        first["z"]
    del first["a"]
    second["a"] = Counter("n")
    assert [metric.name for metric in everything.all()] == ["n"]


def test_code_that_is_loaded_again_goes_on_counting() -> None:
    everything = AllMetrics(is_exported=True)
    old, new = Shelf(), Shelf()
    old.open(everything, "element")
    old["n"] = Counter("n", "", ("a",))
    old["n"].inc(5, ("x",))
    new["n"] = Counter("n", "", ("a",))
    new.open(everything, "element")
    new["n"].inc(1, ("x",))
    assert new["n"].values["x",][0] == 6
    assert everything.all() == [new["n"]]


def test_values_are_bounded_and_those_set_longest_ago_give_way(caplog: pytest.LogCaptureFixture) -> None:
    counter = Counter("n", "", ("plate",))
    counter.inc(labels=("first",))
    for number in range(MOST_SERIES - 1):
        counter.inc(labels=(f"{number}",))
    counter.inc(labels=("first",))
    for number in range(10):
        counter.inc(labels=(f"new-{number}",))
    assert len(counter.values) == MOST_SERIES
    assert counter.values["first",][0] == 2
    assert ("0",) not in counter.values
    assert len([text for text in caplog.messages if "combinations of labels" in text]) == 1


def test_threads_lose_no_count() -> None:
    counter = Counter("n", "", ("a",))
    threads = [threading.Thread(target=lambda: [counter.inc(labels=("x",)) for _ in range(2_000)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counter.values["x",][0] == 8_000


COUNTS = """
from savant.metrics import Counter, Gauge
from savant.deepstream.pyfunc import NvDsPyFuncPlugin
class It(NvDsPyFuncPlugin):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.metrics["seen"] = Counter(name="seen", description="Frames.", labelnames=("source_id",))
    def process_frame(self, buffer, frame_meta):
        self.metrics["seen"].inc(1, labels=(frame_meta.source_id,))
"""


def test_without_a_provider_a_warning_says_that_values_are_only_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = tree(elements=[pyfunc("counts", tmp_path, COUNTS)], parameters={"compat": True})
    with caplog.at_level(logging.WARNING):
        module = Module(config, sinks=[MemorySink()])
        module.run()
    assert [text for text in caplog.messages if "nothing exports it; values are kept" in text]
    (metric,) = module._books.metrics.all()
    assert metric.values["test",][0] == FRAMES


def test_two_pyfuncs_with_one_name_refuse_to_start(tmp_path: Path) -> None:
    elements = [pyfunc("one", tmp_path, COUNTS), pyfunc("two", tmp_path, COUNTS)]
    module = Module(tree(elements=elements, parameters={"compat": True}), sinks=[MemorySink()])
    with pytest.raises(ElementError, match=r"two\.py\.It: metric 'seen': the name is in use"):
        module.run()


def test_counters_go_on_where_code_is_loaded_again_while_the_module_runs(tmp_path: Path) -> None:
    file = tmp_path / "counts.py"
    text = COUNTS.replace("savant.metrics", "picasso.module").replace("savant.deepstream.pyfunc", "picasso.module")
    file.write_text(text)
    element = {"element": "pyfunc", "module": str(file), "class_name": "It", "dev_mode": True}
    module = Module(tree(elements=[element]), sources=[], sinks=[MemorySink()])
    frame, pixels = VideoFrame("a", "30/1", 64, 48, time_base=(1, 10**9), pts=0), np.zeros((48, 64, 3), np.uint8)

    def seen() -> float:
        return module._books.metrics.all()[0].values.get(("a",), (0.0, 0.0))[0]

    with module:
        module.send(frame, pixels)
        while seen() < 1:
            threading.Event().wait(0.001)
        file.write_text(text.replace("inc(1,", "inc(10,"))
        frame.pts = 1
        module.send(frame, pixels)
        module.run()
    assert seen() == 11
    assert len(module._books.metrics.all()) == 1


def test_values_of_a_source_end_with_it_and_others_stay() -> None:
    everything, shelf = AllMetrics(is_exported=True), Shelf()
    shelf.open(everything, "element")
    shelf["n"] = Counter("n", "", ("zone", "source_id"))
    shelf["m"] = Gauge("m", "", ("zone",))
    for source in ("a", "b"):
        shelf["n"].inc(1, ("door", source))
        shelf["m"].set(1, (source,))
    everything.drop_sources({"a"})
    assert set(shelf["n"].values) == {("door", "b")}
    assert set(shelf["m"].values) == {("a",), ("b",)}
