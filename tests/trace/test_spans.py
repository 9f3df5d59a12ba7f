"""Spans over HTTP to a real receiver: what they say, how they nest, from which threads."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from otlp_receiver import OtlpReceiver, otlp_receiver

from picasso.errors import SpecError
from picasso.primitives import VideoFrame
from picasso.trace import (
    NO_SPAN,
    TelemetrySpan,
    TraceContext,
    TraceEndpoint,
    Tracer,
    close_tracer,
    current_span,
    init_jaeger_tracer,
    read_context,
)
from picasso.trace.export import SpanPipe

AGENT = "port 6831 is that of Jaeger's old agent, which took another protocol; OTLP goes to 4318"
OTHER = "port 14268 is not used; write a URL where OTLP over HTTP has another port than 4318"
ENDPOINTS = {
    "jaeger:6831": ("http://jaeger:4318/v1/traces", AGENT),
    "jaeger:14268": ("http://jaeger:4318/v1/traces", OTHER),
    "jaeger": ("http://jaeger:4318/v1/traces", ""),
    " 10.0.0.7:4318 ": ("http://10.0.0.7:4318/v1/traces", ""),
    "[::1]:6831": ("http://[::1]:4318/v1/traces", AGENT),
    "http://collector:9999": ("http://collector:9999/v1/traces", ""),
    "https://traces.example.org/": ("https://traces.example.org/v1/traces", ""),
    "https://traces.example.org/otlp/v1/traces": ("https://traces.example.org/otlp/v1/traces", ""),
    "http://user:secret@collector:4318": ("http://user:secret@collector:4318/v1/traces", ""),
}


@pytest.fixture
def receiver() -> Iterator[OtlpReceiver]:
    with otlp_receiver() as one:
        yield one


@pytest.fixture
def pipe(receiver: OtlpReceiver) -> Iterator[SpanPipe]:
    one = SpanPipe(TraceEndpoint.parse(receiver.url), "crossing", attributes={"site": "north"})
    yield one
    one.close(5.0)


def frame(source_id: str = "cam", pts: int = 7) -> VideoFrame:
    return VideoFrame(source_id, "30/1", 64, 48, time_base=(1, 10**9), pts=pts)


@pytest.mark.parametrize(("text", "found"), ENDPOINTS.items(), ids=ENDPOINTS)
def test_an_endpoint_names_a_host_or_is_a_url(text: str, found: tuple[str, str]) -> None:
    endpoint = TraceEndpoint.parse(text)
    assert (endpoint.url, endpoint.note) == found


@pytest.mark.parametrize(
    "text", ["", ":6831", "ftp://host", "http://", "host/path", "user@host", "host:port", "http://host:0"]
)
def test_what_is_no_endpoint_is_refused_with_its_text(text: str) -> None:
    with pytest.raises(SpecError, match="endpoint: expected host"):
        TraceEndpoint.parse(text)


@given(st.integers(1, 2**128 - 1), st.integers(1, 2**64 - 1), st.sampled_from(["", "vendor=1,other=2"]))
def test_a_context_comes_back_from_its_headers(trace_id: int, span_id: int, state: str) -> None:
    context = TraceContext(trace_id, span_id, state)
    headers = context.headers()
    assert read_context(headers) == context
    jaeger = {"Uber-Trace-Id": headers["uber-trace-id"]}
    assert read_context(jaeger) == TraceContext(trace_id, span_id)
    assert read_context({"uber-trace-id": f"{trace_id:x}%3A{span_id:x}%3A0%3A1"}) == TraceContext(trace_id, span_id)


HEADERS = [
    {},
    {"traceparent": ""},
    {"traceparent": f"00-{'0' * 32}-{'1' * 16}-01"},
    {"traceparent": f"00-{'1' * 32}-{'0' * 16}-01"},
    {"traceparent": f"ff-{'1' * 32}-{'1' * 16}-01"},
    {"traceparent": f"00-{'1' * 32}-{'1' * 16}-01-more"},
    {"traceparent": f"00-{'1' * 31}-{'1' * 16}-01"},
    {"uber-trace-id": "0:1:0:1"},
    {"uber-trace-id": "1:0:0:1"},
    {"uber-trace-id": "x:1:0:1"},
    {"uber-trace-id": f"{'1' * 33}:1:0:1"},
    {"b3": f"{'1' * 32}-{'1' * 16}-1"},
]


@pytest.mark.parametrize("headers", HEADERS, ids=str)
def test_headers_that_carry_no_valid_context_carry_none(headers: dict[str, str]) -> None:
    assert read_context(headers) is None


def test_a_later_version_of_the_header_is_read_as_far_as_it_is_known() -> None:
    assert read_context({"traceparent": f"01-{'a' * 32}-{'b' * 16}-00-more"}) == TraceContext(
        int("a" * 32, 16), int("b" * 16, 16)
    )


def test_every_call_of_a_span_arrives(receiver: OtlpReceiver, pipe: SpanPipe) -> None:
    tracer = Tracer(pipe, "crossing", sampling_period=1, now_ns=lambda: 1_000)
    trace = tracer.begin(frame(), began_ns=400)
    assert trace is not None
    span = trace.enter("pyfunc/a.B", 500)
    assert trace.stage is span
    with span.nested_span("work") as work:
        work.set_string_attribute("text", "a")
        work.set_string_vec_attribute("texts", ["a", "b"])
        work.set_int_attribute("whole", 3)
        work.set_int_vec_attribute("wholes", [1, 2**70])
        work.set_float_attribute("number", 0.5)
        work.set_float_vec_attribute("numbers", [0.5, 2])
        work.set_bool_attribute("flag", True)
        work.set_bool_vec_attribute("flags", [True, False])
        work.add_event("seen", {"what": "car"})
        work.set_status_ok()
        with work.nested_span_when("deeper", True), work.nested_span_when("never", False) as nothing:
            assert nothing is NO_SPAN
    trace.leave(900)
    assert trace.stage is trace.root
    trail = [("source", 450), ("decode", 500), ("pyfunc/a.B", 900), ("encode", 920), ("encode", 950), ("sink", 1_000)]
    trace.finish(trail, 1_000)
    assert tracer.close(5.0).sent == 8
    root = receiver.root()
    assert root.tree() == {
        "crossing": [
            "add/source",
            "stage/decode",
            {"stage/pyfunc/a.B": [{"work": ["deeper"]}]},
            "stage/encode",
            "stage/sink",
        ]
    }
    assert (root.end_ns - root.start_ns, root.attributes) == (600, {"source_id": "cam", "pts": 7})
    stages = [(span.start_ns - root.start_ns, span.end_ns - root.start_ns) for span in root.children]
    assert stages == [(0, 50), (50, 100), (100, 500), (500, 550), (550, 600)]
    work = root.find("work")
    assert work.attributes == {
        "text": "a", "texts": ["a", "b"], "whole": 3, "wholes": [1, 2**63 - 1], "number": 0.5, "numbers": [0.5, 2.0],
        "flag": True, "flags": [True, False],
    }  # fmt: skip
    assert (work.events, work.status) == ([("seen", {"what": "car"})], (1, ""))
    assert {span.trace_id for span in root.walk()} == {trace.root.trace_id()}
    assert (root.resource["service.name"], root.resource["site"]) == ("crossing", "north")
    assert {path for path, _headers in receiver.requests} == {"/v1/traces"}


def test_every_period_th_frame_is_traced_and_every_one_that_brings_a_context(pipe: SpanPipe) -> None:
    context = TraceContext(5, 6).headers()
    for period, traced in ((1, 10), (3, 3), (100, 0), (0, 0), (-5, 0)):
        tracer = Tracer(pipe, "crossing", sampling_period=period)
        begun = [tracer.begin(frame(pts=n)) for n in range(10)]
        assert [n + 1 for n, trace in enumerate(begun) if trace] == [
            n for n in range(1, 11) if period > 0 and n % period == 0
        ]
        assert len([trace for trace in begun if trace]) == traced
        brought = tracer.begin(frame(), context)
        assert brought is not None
        assert brought.root.trace_id() == f"{5:032x}"
        for trace in [*begun, brought]:
            if trace is not None:
                trace.finish([], 0)
        tracer._lasting.close()


def test_a_root_is_below_the_context_that_a_frame_brings_and_sends_its_own_on(
    receiver: OtlpReceiver, pipe: SpanPipe
) -> None:
    tracer = Tracer(pipe, "crossing", sampling_period=0)
    trace = tracer.begin(frame(), {"traceparent": f"00-{'a' * 32}-{'b' * 16}-00", "tracestate": "vendor=1"})
    assert trace is not None
    headers = trace.root.propagate()
    trace.finish([], 0)
    tracer.close(5.0)
    root = receiver.root()
    assert (root.trace_id, root.parent_id) == ("a" * 32, "b" * 16)
    assert dict(headers) == {
        "traceparent": f"00-{'a' * 32}-{root.span_id}-01",
        "uber-trace-id": f"{'a' * 32}:{root.span_id}:0:1",
        "tracestate": "vendor=1",
    }


def test_spans_nest_and_end_on_threads_of_the_user(receiver: OtlpReceiver, pipe: SpanPipe) -> None:
    tracer = Tracer(pipe, "crossing", sampling_period=1)
    trace = tracer.begin(frame())
    assert trace is not None
    shared = trace.enter("pyfunc/a.B", 0)

    def work(number: int) -> None:
        for turn in range(20):
            with shared.nested_span(f"work-{number}") as span:
                assert current_span() is span
                span.set_int_attribute("turn", turn)
                shared.add_event(f"event-{number}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert current_span() is None
    trace.finish([("pyfunc/a.B", 1)], 1)
    tracer.close(5.0)
    stage = receiver.root().find("stage/pyfunc/a.B")
    assert sorted((span.name, span.attributes["turn"]) for span in stage.children) == [
        (f"work-{number}", turn) for number in range(4) for turn in sorted(range(20))
    ]
    assert len(stage.events) == 80


def test_a_span_ends_with_its_trace_where_nothing_else_ends_it(receiver: OtlpReceiver, pipe: SpanPipe) -> None:
    tracer = Tracer(pipe, "crossing", sampling_period=1)
    trace = tracer.begin(frame())
    assert trace is not None
    left = trace.root.nested_span("never entered")
    trace.enter("pyfunc/a.B", 0)
    trace.finish([], 0, "stopped")
    left.set_int_attribute("late", 1)
    left.add_event("late")
    trace.leave(5)
    trace.finish([("encode", 9)], 9)
    tracer.close(5.0)
    root = receiver.root()
    assert sorted(span.name for span in root.children) == ["never entered", "stage/pyfunc/a.B"]
    assert root.find("never entered").attributes == {}
    assert (root.events, root.attributes["drop_reason"]) == ([("dropped", {"reason": "stopped"})], "stopped")


def test_an_exception_that_leaves_a_span_is_told_with_its_traceback(receiver: OtlpReceiver, pipe: SpanPipe) -> None:
    tracer = Tracer(pipe, "crossing", sampling_period=1)
    trace = tracer.begin(frame())
    assert trace is not None
    with pytest.raises(KeyError, match="plate"), trace.root.nested_span("read"):
        raise KeyError("plate")
    trace.finish([], 0)
    tracer.close(5.0)
    read = receiver.root().find("read")
    assert read.status == (2, "python.exception")
    ((name, told),) = read.events
    assert (name, told["exception.type"], told["exception.message"]) == ("exception", "KeyError", "'plate'")
    assert 'raise KeyError("plate")' in told["exception.stacktrace"]
    assert told["python.version"].endswith(sys.version.split()[0])
    assert receiver.root().status == (0, "")


def test_lines_of_the_log_become_events_of_the_span_that_they_are_written_in(
    receiver: OtlpReceiver, pipe: SpanPipe, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    tracer = Tracer(pipe, "crossing", sampling_period=1, takes=lambda record: record.levelno >= logging.INFO)
    trace = tracer.begin(frame())
    assert trace is not None
    log = logging.getLogger("insight.savant.my_func")
    log.info("outside")
    with trace.root.nested_span("work"):
        log.info("seen %d cars", 3)
        log.debug("too much")
        logging.getLogger("opentelemetry.sdk").warning("about the sending")
        try:
            raise ValueError("no plate")
        except ValueError:
            log.exception("not read")
    trace.finish([], 0)
    tracer.close(5.0)
    log.info("afterwards")
    events = receiver.root().find("work").events
    line = {"log.target": "insight::savant::my_func", "event.name": "log-record", "event.domain": "savant"}
    assert events[0] == ("seen 3 cars", {"log.level": "info", **line})
    assert events[1] == ("not read", {"log.level": "error", **line})
    assert events[2][1]["exception.message"] == "no plate"
    assert len(events) == 3


def test_ids_do_not_depend_on_a_seed_and_leave_random_numbers_alone(pipe: SpanPipe) -> None:
    import random

    random.seed(1)
    expected = random.getstate()
    tracer = Tracer(pipe, "crossing", sampling_period=1)
    traces = [tracer.begin(frame()) for _ in range(2)]
    assert random.getstate() == expected
    assert len({trace.root.trace_id() for trace in traces if trace}) == 2
    for trace in traces:
        assert trace is not None
        trace.finish([], 0)
    tracer.close(5.0)


def test_spans_that_cannot_be_sent_are_counted_and_said(
    receiver: OtlpReceiver, pipe: SpanPipe, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.status = 400
    tracer = Tracer(pipe, "crossing", sampling_period=1)
    for _ in range(3):
        trace = tracer.begin(frame())
        assert trace is not None
        trace.finish([], 0)
    counts = tracer.close(5.0)
    assert (counts.ended, counts.sent, counts.failed, counts.overflow, counts.waiting) == (3, 0, 3, 0, 0)
    assert f"traces: 0 spans were sent to {receiver.url}/v1/traces, 3 were lost" in caplog.text
    (line,) = [record.getMessage() for record in caplog.records if "could not be sent" in record.getMessage()]
    assert line.startswith(f"traces: 3 spans could not be sent to {receiver.url}/v1/traces (batch no. 1): ")
    assert "400" in line


def test_a_collector_that_refuses_for_long_fills_no_log(
    receiver: OtlpReceiver, pipe: SpanPipe, caplog: pytest.LogCaptureFixture
) -> None:
    for status in [400] * 9 + [200]:
        receiver.status = status
        pipe.start("n", None).end()
        pipe.force_flush()
    said = [record.getMessage() for record in caplog.records]
    assert [text.partition("(batch no. ")[2][:1] for text in said[:-1]] == ["1", "2", "4", "8"]
    assert said[-1] == f"traces: {receiver.url}/v1/traces takes spans again, after 9 batches were lost"


def test_a_program_that_is_no_module_sends_spans_too(receiver: OtlpReceiver) -> None:
    with TelemetrySpan("before") as before:
        assert (before, TelemetrySpan.current()) == (NO_SPAN, NO_SPAN)
    init_jaeger_tracer("tool", receiver.url)
    with TelemetrySpan("outer") as outer:
        assert TelemetrySpan.current() is outer
        with outer.nested_span("inner"):
            pass
    close_tracer(5.0)
    assert TelemetrySpan("after") is NO_SPAN
    root = receiver.root()
    assert (root.tree(), root.resource["service.name"]) == ({"outer": ["inner"]}, "tool")


def test_a_program_that_ends_sends_what_waits(receiver: OtlpReceiver) -> None:
    code = (
        "from picasso.savant_rs import init_jaeger_tracer as init\nfrom picasso.savant_rs.utils import TelemetrySpan\n"
    )
    code += f"init('tool', {receiver.url!r})\nwith TelemetrySpan('last'): pass\n"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    assert receiver.root().name == "last"


def test_no_library_is_loaded_before_a_tracer_is() -> None:
    code = "import sys, picasso.trace; print([n for n in sys.modules if n.startswith(('opentelemetry', 'requests'))])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


STATES = {
    "vendor=1": "vendor=1",
    " a=1 , b@c=x y ,": "a=1,b@c=x y",
    "a": "",
    "A=1": "",
    "a=1,a=2": "",
    "a=\n1": "",
    "x=" + "1" * 255: "x=" + "1" * 255,
    "x" * 600 + "=1": "",
    ",".join(f"k{n}=1" for n in range(33)): "",
}


@pytest.mark.parametrize(("said", "kept"), STATES.items(), ids=range(len(STATES)))
def test_what_vendors_write_travels_if_it_is_as_w3c_says(
    said: str, kept: str, caplog: pytest.LogCaptureFixture
) -> None:
    context = read_context({"traceparent": f"00-{'a' * 32}-{'b' * 16}-01", "tracestate": said})
    assert context is not None
    assert context.state == kept
    with otlp_receiver() as receiver:
        pipe = SpanPipe(TraceEndpoint.parse(receiver.url), "x")
        pipe.start("n", context).end()
        assert pipe.close(5.0).sent == 1
    assert caplog.text == ""


def test_text_that_utf8_cannot_write_costs_no_span(receiver: OtlpReceiver) -> None:
    pipe = SpanPipe(TraceEndpoint.parse(receiver.url), "n\udc80")
    trace = Tracer(pipe, "root\udc80", sampling_period=1).begin(frame())
    assert trace is not None
    with trace.root.nested_span("a\udc80") as span:
        span.set_string_attribute("k\udc80", "v\udc80")
        span.set_string_vec_attribute("l", ["\udc80", "süd"])
        span.add_event("e\udc80", {"x\udc80": "y\udc80"})
        span.fail(ValueError("broken \udc80"))
        span.set_status_error("s\udc80")
    trace.finish([], 0)
    assert pipe.close(5.0).sent == 2
    root = receiver.root()
    assert root.name == "root\\udc80"
    inner = root.find("a\\udc80")
    assert inner.attributes == {"k\\udc80": "v\\udc80", "l": ["\\udc80", "süd"]}
    assert inner.events[0] == ("e\\udc80", {"x\\udc80": "y\\udc80"})
    assert inner.events[1][1]["exception.message"] == "broken \\udc80"
