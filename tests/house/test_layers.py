"""Imports point downwards only, and ``import picasso`` stays light."""

from __future__ import annotations

import ast
import functools
import itertools
import re
import subprocess
import sys
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path

import pytest

import picasso

ROOT = Path(__file__).parents[2]
BELOW = {
    "errors": [],
    "signals": [],
    "primitives": ["errors"],
    "surface": ["errors", "primitives"],
    "transform": ["errors", "primitives", "surface"],
    "draw": ["errors", "primitives", "surface", "transform"],
    "annotators": ["errors", "primitives", "surface", "transform", "draw"],
    "encode": ["errors", "primitives", "surface", "transform"],
    "engine": ["errors", "primitives", "surface", "transform", "draw", "encode"],
    "media": ["errors", "signals", "primitives", "surface", "transform", "encode", "engine"],
    "flow": ["errors", "signals", "primitives", "surface", "transform", "draw", "encode", "engine", "media"],
    "verbs": [
        *("errors", "primitives", "surface", "transform", "draw", "annotators", "encode", "engine", "media"),
        *("infer", "track"),
    ],
    "infer": ["errors", "primitives", "surface", "transform"],
    "track": ["errors"],
    "observe": [
        *("errors", "signals", "primitives", "surface", "transform", "draw", "encode", "engine", "media", "flow"),
    ],
    "web": ["errors"],
    "module": [
        *("infer", "track", "web"),
        *("errors", "signals", "primitives", "surface", "transform", "draw", "encode", "engine", "media", "flow"),
        *("wire", "trace", "testing"),  # of testing its clock, for modules under test
        *("observe",),
    ],
    "cluster": [  # what runs a module elsewhere may use what a module may, and the module
        *("infer", "track", "web"),
        *("errors", "signals", "primitives", "surface", "transform", "draw", "encode", "engine", "media", "flow"),
        *("wire", "trace", "observe", "module"),
    ],
    "wire": ["errors", "primitives"],
    "trace": ["errors", "primitives"],
    "client": ["errors", "primitives", "surface", "transform", "encode", "engine", "media", "wire", "trace"],
    "savant": ["primitives", "client", "module", "trace"],
    "testing": ["errors", "primitives", "surface", "transform", "draw", "encode", "engine"],
    "cli": [
        "verbs",
        "infer",
        "track",
        "errors",
        "signals",
        "primitives",
        "surface",
        "transform",
        "draw",
        "encode",
        "engine",
        "media",
        "flow",
        "wire",
        "client",
        "observe",
        "module",
        "cluster",
    ],
}
HEAVY = [
    "numba",
    "av",
    "skia",
    "simplejpeg",
    "cv2",
    "rich",
    "typer",
    "omegaconf",
    "zmq",
    "google.protobuf",
    "onnxruntime",
    "opentelemetry",
    "ray",
]


@cache
def parsed(file: Path) -> ast.Module:
    return tree_of(file)


@functools.cache
def tree_of(file: Path) -> ast.Module:
    return ast.parse(file.read_text())


def rooms_imported(file: Path) -> Iterator[tuple[int, str]]:
    """Every room of the package that ``file`` imports, at its top or inside a function."""
    for node in ast.walk(parsed(file)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names = [node.module] if node.module != "picasso" else [f"picasso.{alias.name}" for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == "picasso":
                yield node.lineno, parts[1] if len(parts) > 1 else "picasso"


def test_a_room_imports_only_what_lies_below_it() -> None:
    upward = []
    for room, below in BELOW.items():
        home = ROOT / "picasso" / room
        files = sorted(home.rglob("*.py")) if home.is_dir() else [home.with_suffix(".py")]
        assert files
        allowed = {*below, room, *(["picasso"] if room == "cli" else [])}
        upward += [
            f"{file.relative_to(ROOT)}:{line} imports {name}"
            for file in files
            for line, name in rooms_imported(file)
            if name not in allowed
        ]
    assert not upward


def test_the_kernels_know_nothing_of_picasso() -> None:
    files = sorted((ROOT / "kernels").rglob("*.py"))
    assert files
    assert not [(file.name, line) for file in files for line, _ in rooms_imported(file)]


FOLDERS = {
    "maths": [],
    "cache": [],
    "processes": ["cache"],
    "frame": ["maths"],
    "paint": ["maths", "frame"],
    "cpu": ["maths", "frame", "paint", "cache", "processes"],
    "cuda": ["maths", "frame", "paint", "cache"],
    "built": [],
}
"""The folders of the kernels, and what each may import."""
ACROSS = {"frame/plan.py": ["cpu"], "cuda/axis_tables.py": ["cpu"], "processes/worker.py": ["cpu"]}
"""Files that call compiled kernels, or compile them."""


def test_a_folder_of_the_kernels_imports_only_what_lies_below_it() -> None:
    home = ROOT / "kernels" / "picasso_kernels"
    assert {path.name for path in home.iterdir() if (path / "__init__.py").exists()} == set(FOLDERS)
    assert [path.name for path in home.glob("*.py")] == ["__init__.py"]
    upward = []
    for folder, below in FOLDERS.items():
        for file in (home / folder).rglob("*.py"):
            allowed = {folder, *below, *ACROSS.get(file.relative_to(home).as_posix(), [])}
            found = re.findall(r"^\s*(?:from|import) picasso_kernels\.(\w+)", file.read_text(), re.MULTILINE)
            upward += [f"{file.relative_to(home)} imports {name}" for name in found if name not in allowed]
    assert not upward


NUMBA = re.compile(r"(numba|llvmlite)(\.|$)")
ADAPTERS = ("cpu/numba_adapter/", "cuda/numba_adapter.py", "cuda/numba_memory.py")
"""What may import Numba and llvmlite, and use what they do not document; both of CUDA's are one door."""


def modules_imported(file: Path) -> Iterator[tuple[int, str]]:
    """Every module that a file imports, at its top or inside a function."""
    for node in ast.walk(parsed(file)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, node.module


def foreign_private_names(file: Path) -> Iterator[tuple[int, str]]:
    """Every attribute with a leading underscore of anything but ``self``, ``cls`` and the file's own classes."""
    tree = parsed(file)
    ours = {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)} | {"self", "cls", "os", "sys"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.endswith("__"):
            owner = node.value
            if not (isinstance(owner, ast.Name) and owner.id in ours):
                yield node.lineno, node.attr


def test_numba_is_behind_one_door_for_the_host_and_one_for_cuda() -> None:
    """Nothing else imports it or names its private attributes, so a new Numba breaks nothing else."""
    home = ROOT / "kernels" / "picasso_kernels"
    doors = [path for path in home.rglob("*.py") if path.relative_to(home).as_posix().startswith(ADAPTERS)]
    assert len(doors) > len(ADAPTERS)
    private = {name for door in doors for _, name in foreign_private_names(door)} - {"_fields", "_replace", "_asdict"}
    assert "_linking_libraries" in private
    wrong = []
    for file in [*(ROOT / "kernels").rglob("*.py"), *(ROOT / "picasso").rglob("*.py")]:
        if file in doors or not any(name in file.read_text() for name in {"numba", "llvmlite", *private}):
            continue
        wrong += [f"{file}:{line} imports {name}" for line, name in modules_imported(file) if NUMBA.match(name)]
        wrong += [f"{file}:{line} uses {name}" for line, name in foreign_private_names(file) if name in private]
    assert wrong == [f"{ROOT}/picasso/cli/checks/kernels.py:{LOADS_NUMBA} imports numba"]


def test_the_cuda_driver_is_opened_by_one_file_and_called_by_one_more() -> None:
    files = [*(ROOT / "kernels").rglob("*.py"), *(ROOT / "picasso").rglob("*.py")]
    cuda = ROOT / "kernels" / "picasso_kernels" / "cuda"
    opening = [file for file in files if re.search(r"DLL\([^)]*(libcuda|LIBRARY)", file.read_text())]
    assert opening == [cuda / "libcuda.py"]
    calling = {file for file in files for _, name in modules_imported(file) if name.startswith("cuda.bindings")}
    assert calling == {cuda / "driver.py", cuda / "cubin.py"}  # the driver; nvJitLink


LOADS_NUMBA = next(line for line, name in modules_imported(ROOT / "picasso/cli/checks/kernels.py") if NUMBA.match(name))
"""``picasso doctor`` says whether Numba loads."""


def test_importing_picasso_loads_no_heavy_library() -> None:
    code = f"import sys, picasso; print([name for name in {HEAVY} if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"


def modules() -> dict[str, Path]:
    """Every module of the package and of the kernels, by its dotted name."""
    found = {}
    for home in (ROOT / "picasso", ROOT / "kernels" / "picasso_kernels"):
        for file in sorted(home.rglob("*.py")):
            parts = file.relative_to(home.parent).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


def imports_that_run(tree: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """Imports at the top of a file and inside functions; not those for the type checker alone."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            for other in node.orelse:
                yield from imports_that_run(other)
        else:
            yield from imports_that_run(node)


def names_imported(node: ast.Import | ast.ImportFrom, known: Collection[str]) -> Iterator[str]:
    """The modules among ``known`` that an import loads by name."""
    for alias in node.names:
        candidates = [alias.name]
        if isinstance(node, ast.ImportFrom):
            candidates = [f"{node.module}.{alias.name}", str(node.module)]
        yield from [name for name in candidates if name in known][:1]


def cycles(graph: dict[str, set[str]]) -> list[set[str]]:
    """Groups of more than one module, each of which leads to every other."""
    reached: dict[str, set[str]] = {}
    for start in graph:
        seen: set[str] = set()
        waiting = [start]
        while waiting:
            for name in graph[waiting.pop()] - seen:
                seen.add(name)
                waiting.append(name)
        reached[start] = seen
    groups = {frozenset({name} | {o for o in seen if name in reached[o]}) for name, seen in reached.items()}
    return [set(group) for group in groups if len(group) > 1]


def test_no_file_imports_itself_by_way_of_others() -> None:
    """Nor by an import inside a function, which only hides the knot."""
    files = modules()
    graph = {
        name: {other for node in imports_that_run(tree_of(file)) for other in names_imported(node, files)} - {name}
        for name, file in files.items()
    }
    assert sum(map(len, graph.values())) > len(graph)
    assert [sorted(group) for group in cycles(graph)] == []


def test_a_knot_is_found() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}
    assert cycles(graph) == [{"a", "b", "c"}]
    source = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import a\ndef f():\n    from b import c\n"
    found = [name for node in imports_that_run(ast.parse(source)) for name in names_imported(node, {"a", "b", "b.c"})]
    assert found == ["b.c"]


def test_other_rooms_use_the_public_side_of_the_engine_only() -> None:
    """What runs sources, and the way of a frame, may change without anybody else."""
    inner = ("picasso.engine.runtime.", "picasso.engine.path.")
    files = modules()
    users = [
        f"{name} imports {other}"
        for name, file in files.items()
        if not name.startswith("picasso.engine")
        for node in ast.walk(tree_of(file))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for other in names_imported(node, files)
        if other.startswith(inner)
    ]
    assert users == []


def test_names_of_the_package_load_when_they_are_used_from_the_homes_that_type_checkers_see() -> None:
    tree = ast.parse((ROOT / "picasso" / "__init__.py").read_text())
    (for_editors,) = (node for node in tree.body if isinstance(node, ast.If))
    seen = {
        alias.name: (node.module or "").removeprefix("picasso.")
        for node in for_editors.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen == picasso._HOMES
    assert sorted(seen) == picasso.__all__
    assert {path.parent.name for path in (ROOT / "picasso").glob("*/__init__.py")} == picasso._ROOMS
    code = "import sys, picasso; print([name for name in sys.modules if name.startswith('picasso.')])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"
    with pytest.raises(AttributeError, match="has no attribute 'nothing_here'"):
        _ = picasso.nothing_here


def test_no_two_files_of_tests_have_one_name() -> None:
    """pytest imports them by their names: it stops at the second."""
    names = sorted(path.name for path in (ROOT / "tests").rglob("test_*.py"))
    assert [name for name, after in itertools.pairwise(names) if name == after] == []
