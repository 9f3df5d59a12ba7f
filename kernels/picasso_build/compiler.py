"""The C compiler: which there is, and how it makes an extension module of C and object files."""

from __future__ import annotations

import importlib.util
import os
import platform
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

_FLAGS: Final = ("-shared", "-fPIC", "-O2", "-fvisibility=hidden", "-Wall", "-Wextra", "-Werror=implicit", "-s")
_LINK: Final = ("-Wl,--gc-sections", "-Wl,--build-id=none", "-Wl,-z,now", "-Wl,-z,relro", "-lm")
_PROBE: Final = "#define Py_LIMITED_API 0x030B0000\n#include <Python.h>\nPyObject *probe(void) { return NULL; }\n"


class CompilerError(Exception):
    """There is no C compiler, or it refuses."""


def find(architecture: str = platform.machine()) -> list[str]:
    """Return the command of a C compiler that makes extension modules for an architecture.

    ``CC``, else the system's, else that of the package ``ziglang`` where it is installed. For another architecture than
    this one, the system's is called as Debian calls it, e.g. ``aarch64-linux-gnu-gcc``.

    Raises:
        CompilerError: There is none, or none that finds Python's headers.
    """
    is_here = architecture == platform.machine()
    candidates = [shlex.split(os.environ["CC"])] if os.environ.get("CC") and is_here else []
    names = ("cc", "gcc", "clang") if is_here else (f"{architecture}-linux-gnu-gcc",)
    candidates += [[found] for name in names if (found := shutil.which(name))]
    if importlib.util.find_spec("ziglang"):
        candidates.append([sys.executable, "-m", "ziglang", "cc", "-target", f"{architecture}-linux-gnu.2.17"])
    if not candidates:
        raise CompilerError("no C compiler is installed" + ("" if is_here else f" for {architecture}"))
    reasons = []
    for command in candidates:
        with tempfile.TemporaryDirectory() as folder:
            try:
                link(command, _PROBE, [], Path(folder) / "probe.so")
            except CompilerError as error:
                reasons.append(str(error))
            else:
                return command
    raise CompilerError("; ".join(reasons))


def link(command: Sequence[str], text: str, objects: Sequence[Path], out: Path) -> None:
    """Write a shared library of C text and object files.

    Raises:
        CompilerError: The compiler refuses; with the first line that it says.
    """
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "shim.c").write_text(text)
        includes = [
            f"-I{path}" for path in dict.fromkeys(sysconfig.get_paths()[key] for key in ("include", "platinclude"))
        ]
        paths = [str(path.resolve()) for path in objects]
        line = [*command, *_FLAGS, *includes, "shim.c", *paths, "-o", str(out.resolve()), *_LINK]
        try:
            done = subprocess.run(line, cwd=folder, capture_output=True, text=True, check=False)
        except OSError as error:
            raise CompilerError(f"{command[0]} does not start ({error})") from error
        if done.returncode:
            said = [line for line in done.stderr.splitlines() if "error" in line] or done.stderr.splitlines() or ["?"]
            raise CompilerError(f"{' '.join(command)}: {said[0].strip()}")
