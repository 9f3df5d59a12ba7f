"""The command's root: what all commands share, and how they fail.

A failure is one sentence on stderr and an exit code: 1 when the work failed, 2 when the arguments are bad,
128 and the signal's number when a signal ended it, 130 for Ctrl-C. ``--debug`` (or ``PICASSO_DEBUG=1``) lets the
traceback through.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from signal import SIGINT
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from picasso.cli.demo import demo
from picasso.cli.doctor import doctor
from picasso.cli.encode import encode
from picasso.cli.glance import compare, crop, gif, sheet, track
from picasso.cli.map import map_
from picasso.cli.module import module, run
from picasso.cli.probe import probe
from picasso.cli.ray_option import RayCommand
from picasso.cli.receive import receive
from picasso.cli.send import send
from picasso.cli.warm_up import warm_up
from picasso.errors import PicassoError
from picasso.signals import Stop, Stopped, stop_on_signals

SWITCH_INTERVAL_S = 0.0005
"""How long a thread may keep the GIL while another waits, in seconds.

A worker gives the GIL up in each native call and waits up to one interval to get it back from a thread that is busy
in Python; the interpreter's own 5 ms are as long as a whole frame takes.
"""
INTERRUPTED = 130
"""What a shell calls a command that Ctrl-C ended: 128 and the signal's number."""


class OneSentenceGroup(TyperGroup):
    """A command group whose failures are one sentence on stderr and an exit code."""

    _debug = False

    def invoke(self, ctx: Any) -> Any:
        """Note whether failures are to be shown in full, then run the chosen command."""
        self._debug = ctx.params["debug"] or os.environ.get("PICASSO_DEBUG", "0") not in {"", "0"}
        return super().invoke(ctx)

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Parse, run and exit; the module says with which codes."""
        is_main = threading.current_thread() is threading.main_thread()
        signals = stop_on_signals(exits=False) if is_main else nullcontext(Stop())
        with _short_switch_interval(), _warnings_on_stderr(), signals as stop:
            try:
                code = super().main(*args, **{**kwargs, "standalone_mode": False})
                if stop.signum is None and code == INTERRUPTED:
                    _say("interrupted")
            except (Exception, Stopped) as error:
                usage = _usage_complaint(error)
                if usage is None and self._debug and not isinstance(error, Stopped):
                    raise
                sentence = one_sentence(error) if usage is None else usage
                if sentence and (stop.signum is None or stop.is_obeyed):
                    _say(sentence)
                code = _exit_code(error) if usage is None else 2
            if stop.signum is not None:
                _say("interrupted" if stop.signum == SIGINT else f"stopped by {stop.signum.name}")
                code = code if stop.is_obeyed else stop.exit_code
        sys.exit(code or 0)


def _say(sentence: str) -> None:
    if sys.stderr is None:  # a program can be started without it, and print would take stdout instead
        return
    with suppress(OSError):  # the terminal may be closed
        print(f"picasso: {sentence}", file=sys.stderr)


@contextmanager
def _short_switch_interval() -> Iterator[None]:
    """Let threads take turns more often while the command runs; a program that calls it goes on as before."""
    before_s = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    try:
        yield
    finally:
        sys.setswitchinterval(before_s)


@contextmanager
def _warnings_on_stderr() -> Iterator[None]:
    """Let what the library logs as a warning be a sentence on stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("picasso: %(message)s"))
    logger = logging.getLogger("picasso")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def one_sentence(error: BaseException) -> str:
    """What went wrong, on one line, with the error's notes in brackets."""
    if isinstance(error, typer.Abort):
        return "interrupted"
    notes = "; ".join(getattr(error, "__notes__", ()))
    return _flat(f"{_reason(error)} ({notes})" if notes else _reason(error))


def _reason(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    if isinstance(error, PicassoError | OSError | ImportError | MemoryError):
        return str(error) or type(error).__name__
    return f"internal error, {type(error).__name__}: {error}; picasso --debug shows where"


def _exit_code(error: BaseException) -> int:
    return INTERRUPTED if isinstance(error, typer.Abort) else 1


def _usage_complaint(error: BaseException) -> str | None:
    """The parser's own words when the arguments are bad: all its errors derive from one that can format itself.

    They are empty where the help was printed instead. The value is added where a converter's words leave it out.
    """
    complaint = getattr(error, "format_message", None)
    if complaint is None:
        return None
    faults = getattr(error.__cause__, "errors", None)  # those of pydantic, which newer versions of typer convert by
    values = [repr(one["input"]) for one in faults()] if callable(faults) else []
    return ", got ".join([_flat(complaint()), *values[:1]])


def _flat(text: str) -> str:
    return " ".join(text.split())


def _print_version(wanted: bool) -> None:
    if wanted:
        import picasso

        print(f"picasso {picasso.__version__}")
        raise typer.Exit


app: typer.Typer = typer.Typer(
    cls=OneSentenceGroup,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: picasso demo -o demo",
)
app.command(epilog="Example: picasso demo -o demo --seconds 3")(demo)
app.command(epilog="Example: picasso encode in.mp4 -o out.mp4 --size 1280x720 --codec hevc --bitrate 3M")(encode)
app.command(cls=RayCommand, epilog="Example: picasso run module.yml")(run)
app.command("map", cls=RayCommand, epilog="Example: picasso map module.yml 'clips/*.mp4' -o out")(map_)
app.add_typer(module, name="module")
app.command(epilog="Example: picasso probe out.mp4 --json")(probe)
app.command(epilog="Example: picasso sheet in.mp4 -o sheet.png --columns 5")(sheet)
app.command(epilog="Example: picasso gif in.mp4 -o out.gif --start 3 --end 6 --width 320")(gif)
app.command(epilog="Example: picasso crop in.mp4 160,0,960,720 -o out.mp4")(crop)
app.command(epilog="Example: picasso track in.mp4 --model yolo11n.onnx -o tracked.mp4 --objects tracks.txt")(track)
app.command(epilog="Example: picasso compare in.mp4 out.mp4 --side-by-side both.mp4")(compare)
app.command(epilog="Example: picasso send clips/*.mp4 dealer+connect:tcp://127.0.0.1:5555 --pace")(send)
app.command(epilog="Example: picasso receive sub+connect:tcp://127.0.0.1:5556 -o out --ends 3")(receive)
app.command(epilog="Example: picasso doctor --json")(doctor)
app.command("warm-up", epilog="Example: PICASSO_CACHE_DIR=/opt/picasso picasso warm-up")(warm_up)


@app.callback(invoke_without_command=True)
def picasso(
    ctx: typer.Context,
    *,
    debug: Annotated[  # noqa: ARG001 - the group reads it
        bool, typer.Option("--debug", help="Show a failure's traceback; so does PICASSO_DEBUG=1.")
    ] = False,
    version: Annotated[  # noqa: ARG001 - its callback acts
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version and exit.")
    ] = False,
) -> None:
    """Crop, scale, letterbox, draw and encode many video sources at once."""
    if ctx.invoked_subcommand is None:
        print(ctx.get_help())
        raise typer.Exit(2)
