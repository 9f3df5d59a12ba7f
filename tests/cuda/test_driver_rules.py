"""The CUDA side keeps the driver's rules: on a driver of two devices that runs nothing, notes all, and refuses much."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("cuda.bindings", reason="needs numba-cuda, which brings the bindings of the driver")
HERE = Path(__file__).parent
RULES = [
    (file, one.name)
    for file in ("driven.py", "driven_engine.py", "driven_graphs.py")
    for one in ast.parse((HERE / file).read_text()).body
    if isinstance(one, ast.FunctionDef) and "_" in one.name and not one.args.args
]
COMPILER = os.environ.get("CC", "cc")


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compile the driver; skip where there is no C compiler."""
    made = tmp_path_factory.mktemp("driver") / "libcuda.so.1"
    source = str(HERE / "strict_driver.c")
    try:
        subprocess.run([COMPILER, "-shared", "-fPIC", "-o", str(made), source, "-ldl"], check=True)
    except FileNotFoundError:
        pytest.skip(f"needs a C compiler; there is no {COMPILER}")
    return made.parent


@pytest.mark.parametrize(("file", "rule"), RULES, ids=[rule for _, rule in RULES])
def test_the_rule_holds(file: str, rule: str, driver: Path) -> None:
    environment = os.environ | {"LD_LIBRARY_PATH": str(driver), "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, str(HERE / file), rule]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "")
