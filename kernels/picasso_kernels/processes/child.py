"""A child process that compiles: how it is started, spoken to and ended. ``worker`` is its side."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import tempfile
import time
from typing import IO, Any, Final, NamedTuple, final

from picasso_kernels.cache.folder import VARIABLE, say_once, writable_folder
from picasso_kernels.cache.sources import source_key

START_S: Final = 60.0
"""Seconds until a child says that it is there, at most; a program that says nothing is not a Python of ours."""
COMPILE_S: Final = 600.0
"""Seconds that one kernel takes, at most."""
_BOOT: Final = (
    "import json, sys; told = json.loads(sys.stdin.buffer.readline()); sys.path[:] = told['path'];"
    "from picasso_kernels.processes.worker import serve; serve(told)"
)
_REPORT_BYTES: Final = 4000
_CHUNK: Final = 1 << 16


class ChildError(Exception):
    """A child could not be started, failed, or ended; the message says why."""


class Answer(NamedTuple):
    """What a child says of a kernel."""

    content: bytes | None
    """Its machine code, if no disk took it."""
    is_new: bool
    """Whether it was compiled now, and not by another process in the meantime."""
    seconds: float


@final
class Child:
    """One child process. For one thread at a time."""

    def __init__(self) -> None:
        """Start it; returns when it is there.

        Raises:
            ChildError: It does not come up.
            OSError: The system gives no process.
        """
        folder = writable_folder()
        env = os.environ | ({VARIABLE: str(folder)} if folder else {})
        self._report = _report_file()
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", _BOOT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._report or subprocess.DEVNULL,
            env=env,
            cwd="/",  # Numba fails in a folder that is gone
            bufsize=0,
            process_group=0,  # what a terminal sends on Ctrl-C is for this process, which then ends its children
        )
        self._read = bytearray()
        told = {"path": _search_path(), "sources": source_key(), "parent": os.getpid()}
        try:
            self._tell(told)
            self._answer(START_S)
        except BaseException:
            self.close()
            raise

    @property
    def number(self) -> int:
        """Of the process."""
        return self._process.pid

    def compile(self, name: str, nice: int) -> Answer:
        """Have an entry compiled, and wait for it.

        Args:
            name: Of the entry.
            nice: How much lower than that of this process the priority is to be; a child keeps the lowest so far.

        Raises:
            ChildError: It failed.
        """
        self._tell({"compile": name, "nice": nice})
        answer = self._answer(COMPILE_S)
        for text in answer.get("warnings", ()):
            say_once(str(text))
        if "error" in answer:
            raise ChildError(str(answer["error"]))
        content = self._take(int(answer["bytes"]), time.monotonic() + START_S)
        return Answer(content or None, bool(answer["new"]), float(answer["seconds"]))

    def kill(self) -> None:
        """End it, now; for any thread. A thread that speaks to it gets a ``ChildError``."""
        with contextlib.suppress(OSError):
            self._process.kill()

    def close(self) -> None:
        """End it, now, and let go of it."""
        self.kill()
        self.forget()
        self._process.wait()

    def forget(self) -> None:
        """Close our ends of its pipes, which ends it if no one else holds them."""
        for pipe in (self._process.stdin, self._process.stdout, self._report):
            if pipe:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _tell(self, message: dict[str, Any]) -> None:
        assert self._process.stdin
        try:
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
        except OSError as error:
            raise ChildError(self._why()) from error

    def _answer(self, within_s: float) -> dict[str, Any]:
        deadline_s = time.monotonic() + within_s
        while b"\n" not in self._read:
            self._fill(deadline_s)
        line, _, rest = bytes(self._read).partition(b"\n")
        self._read = bytearray(rest)
        try:
            answer = json.loads(line)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise ChildError(f"{sys.executable} answers {line[:80]!r}")
        return answer

    def _take(self, count: int, deadline_s: float) -> bytes:
        while len(self._read) < count:
            self._fill(deadline_s)
        content, self._read = bytes(self._read[:count]), self._read[count:]
        return content

    def _fill(self, deadline_s: float) -> None:
        """Read what there is; wait until there is something."""
        assert self._process.stdout
        left_s = deadline_s - time.monotonic()
        poll = select.poll()
        poll.register(self._process.stdout, select.POLLIN)
        if left_s <= 0 or not poll.poll(left_s * 1000):
            raise ChildError(f"{sys.executable} does not answer")
        chunk = os.read(self._process.stdout.fileno(), _CHUNK)
        if not chunk:
            raise ChildError(self._why())
        self._read += chunk

    def _why(self) -> str:
        """Say how the child ended."""
        try:
            code = self._process.wait(1)
        except subprocess.TimeoutExpired:
            return "the compiling process closed its pipes"
        said = b""
        if self._report:
            self._report.seek(0)
            said = self._report.read()[-_REPORT_BYTES:].strip()
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        last = said.decode(errors="replace").splitlines()[-1:] or [""]
        return f"the compiling process ended with {how} {last[0]}".rstrip()


def _search_path() -> list[str]:
    """Return where modules are looked for, for a process in another folder."""
    try:
        here = os.getcwd()
    except OSError:  # it is gone
        here = "/"
    return [os.path.normpath(os.path.join(here, entry)) for entry in map(os.fspath, sys.path)]


def _report_file() -> IO[bytes] | None:
    """Return a file for what a child says about its failure; None where there is no room for one."""
    try:
        return tempfile.TemporaryFile()
    except OSError:
        return None
