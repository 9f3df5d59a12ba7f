"""What a build of the package makes: which levels, what it needs for them, and what the bill of materials says."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from picasso_build import build, compiler, plan, wheels
from picasso_build.sbom import bill_of_materials
from picasso_kernels.cache.sources import source_key
from picasso_kernels.cpu.entries import ENTRIES
from picasso_kernels.cpu.levels import LEVELS, level_of

ROOT = Path(__file__).parents[2]
CC = ["/usr/bin/cc"]
Machine = Callable[..., None]


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine of these flags, with or without a C compiler, where the variable says this."""

    def be(wanted: str | None, flags: frozenset[str], has_compiler: bool) -> None:
        def find(_architecture: str = "x86_64") -> list[str]:
            if has_compiler:
                return CC
            raise compiler.CompilerError("no C compiler is installed")

        monkeypatch.setattr(compiler, "find", find)
        monkeypatch.setattr(plan, "processor_flags", lambda: flags)
        monkeypatch.setattr(plan.platform, "machine", lambda: "x86_64")
        monkeypatch.setattr(plan, "levels_of_this_architecture", lambda: list(LEVELS[:3]))
        monkeypatch.delenv(plan.VARIABLE, raising=False)
        if wanted is not None:
            monkeypatch.setenv(plan.VARIABLE, wanted)

    return be


V3 = frozenset(level_of("v3").flags)
OLD = frozenset({"sse2"})


@pytest.mark.parametrize(
    ("wanted", "flags", "has_compiler", "levels", "needs"),
    [
        (None, V3, True, ["v3"], [plan.NUMBA]),
        ("host", V3, True, ["v3"], [plan.NUMBA]),
        (None, V3, False, [], []),
        (None, OLD, True, [], []),
        ("none", V3, True, [], []),
        ("all", OLD, True, ["v4", "v3", "v2"], [plan.NUMBA]),
        ("v2,v4", V3, True, ["v2", "v4"], [plan.NUMBA]),
        ("aarch64", V3, True, ["neon"], [plan.NUMBA]),
        ("all", V3, False, ["v4", "v3", "v2"], [plan.NUMBA, plan.ZIG]),
    ],
)
def test_what_is_built_and_what_it_needs(
    machine: Machine,
    wanted: str | None,
    flags: frozenset[str],
    has_compiler: bool,
    levels: list[str],
    needs: list[str],
) -> None:
    machine(wanted, flags, has_compiler)
    assert [level.name for level in plan.plan().levels] == levels
    assert plan.requirements() == needs


@pytest.mark.parametrize(
    ("wanted", "flags", "has_compiler", "reason"),
    [
        (None, V3, False, "no C compiler is installed"),
        (None, OLD, True, "no level fits this processor"),
        ("none", V3, True, "PICASSO_BUILD=none"),
    ],
)
def test_why_nothing_is_built_is_said(
    machine: Machine, wanted: str | None, flags: frozenset[str], has_compiler: bool, reason: str
) -> None:
    machine(wanted, flags, has_compiler)
    assert plan.plan().reason.startswith(reason)


def test_a_python_without_the_stable_abi_gets_no_machine_code(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine(None, V3, True)
    monkeypatch.setattr(plan.sysconfig, "get_config_var", lambda name: name == "Py_GIL_DISABLED")
    assert plan.plan() == plan.BuildPlan((), reason="this Python has not the stable ABI of CPython")


def test_a_level_that_does_not_exist_is_refused(machine: Machine) -> None:
    machine("v3,v9", V3, True)
    with pytest.raises(ValueError, match="no level is called 'v9'; one of v4, v3, v2"):
        plan.plan()
    machine("v3,neon", V3, True)
    with pytest.raises(ValueError, match="PICASSO_BUILD=v3,neon: these levels are of different architectures"):
        plan.plan()


def test_the_bill_names_every_file_with_its_sum_and_is_the_same_each_time(tmp_path: Path) -> None:
    built = tmp_path / "x86_64_v3.abi3.so"
    built.write_bytes(b"machine code")
    planned = plan.BuildPlan((level_of("v3"),), ("true",))
    bill, again = (bill_of_materials(ROOT, "picasso-engine", "1.2", planned, [built]) for _ in range(2))
    assert bill == again
    told = json.loads(bill)
    sums = {part["name"]: part["hashes"][0]["content"] for part in told["components"]}
    fonts = [str(path.relative_to(ROOT)) for path in (ROOT / "picasso").rglob("*.ttf")]
    assert sums == {
        **{font: hashlib.sha256((ROOT / font).read_bytes()).hexdigest() for font in fonts},
        "picasso_kernels/built/x86_64_v3.abi3.so": hashlib.sha256(b"machine code").hexdigest(),
    }
    assert told["metadata"]["component"]["properties"][0]["value"] == source_key()
    assert {"numba", "llvmlite", "C compiler"} <= {tool["name"] for tool in told["metadata"]["tools"]["components"]}
    assert str(tmp_path) not in bill


def test_a_bill_without_machine_code_names_no_compiler(tmp_path: Path) -> None:
    note = tmp_path / "absent.txt"
    note.touch()
    told = json.loads(bill_of_materials(ROOT, "picasso-engine", "1.2", plan.BuildPlan((), reason="none"), [note]))
    assert told["metadata"]["tools"]["components"] == []
    assert all(part["name"].endswith(".ttf") for part in told["components"])


def test_a_copy_to_build_from_leaves_behind_what_is_no_source() -> None:
    names = [".git", ".gitignore", "__pycache__", "x86_64_v3.abi3.so", "out", "compile.py", "__init__.py"]
    assert set(names) - wheels.left_behind("", names) == {".gitignore", "compile.py", "__init__.py"}


@pytest.mark.parametrize("are_cores_left", [False, True])
def test_every_entry_is_compiled_by_one_process(are_cores_left: bool) -> None:
    names = [entry.name for entry in ENTRIES.values()]
    groups = build.groups_of(names, are_cores_left)
    assert sorted(name for group in groups for name in group) == sorted(names)
    assert len(groups) == (4 if are_cores_left else 2)
    assert build.groups_of(["compose"], are_cores_left) == [["compose"]]


def test_an_install_that_builds_nothing_needs_no_numpy() -> None:
    """An editable one, and one without a compiler: what the hook imports for them stands alone."""
    names = ["picasso_build.compiler", "picasso_build.plan", "picasso_build.sbom", "picasso_kernels.cpu.forms"]
    blocked = "import sys; sys.modules |= dict.fromkeys(['numpy', 'numba', 'llvmlite'])"
    hook = ast.parse((ROOT / "kernels" / "picasso_build" / "hook.py").read_text())
    (initialize,) = (node for node in ast.walk(hook) if isinstance(node, ast.FunctionDef) and node.name == "initialize")
    at_once = {f"{node.module}" for node in initialize.body if isinstance(node, ast.ImportFrom)}
    assert at_once <= {"picasso_build", *names}
    code = f"{blocked}; import importlib; [importlib.import_module(name) for name in {names}]"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "kernels")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr
