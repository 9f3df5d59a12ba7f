"""Existing modules unchanged: imports of ``savant``, ``savant_rs`` and ``gi`` that this package answers.

The names lie in ``picasso.savant`` and ``picasso.savant_rs``. They are answered while a module runs that asks for it,
and no longer: other code of the process finds what is really installed.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Final, final

DOORS: Final = {"savant": "picasso.savant", "savant_rs": "picasso.savant_rs"}
"""Packages that are answered, also where one of that name is installed, and by what."""
SPARE_DOORS: Final = {"gi": "picasso.savant.gi"}
"""Packages that are answered only where none is installed."""


@final
class _Door(MetaPathFinder, Loader):
    """Finds the modules of some packages in others; a module is the same object under both names."""

    def __init__(self, packages: dict[str, str]) -> None:
        self._packages = packages

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return how to load ``fullname``, or None for a module of another package."""
        ours = self._ours(fullname)
        if ours is None:
            return None
        found = _spec_of(ours)
        if found is None:
            package = self._packages[fullname.partition(".")[0]]
            raise ModuleNotFoundError(f"no module {fullname!r}: {package} does not have it", name=fullname)
        return ModuleSpec(fullname, self, is_package=found.submodule_search_locations is not None)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return our module."""
        module = importlib.import_module(self._ours(spec.name) or spec.name)
        spec.loader_state = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Leave it as it is: it was executed under its own name."""
        spec = module.__spec__
        if spec is not None and spec.loader is self:
            module.__spec__ = spec.loader_state

    def _ours(self, name: str) -> str | None:
        root, dot, rest = name.partition(".")
        return f"{self._packages[root]}{dot}{rest}" if root in self._packages else None


_first, _last = _Door(DOORS), _Door(SPARE_DOORS)
_lock = threading.Lock()
_users = 0
_aside: dict[str, ModuleType] = {}
"""Modules of those packages that were imported before."""


def answer_imports() -> None:
    """Answer imports of ``savant``, ``savant_rs`` and, where it is missing, ``gi``, until ``stop_answering``.

    Calls count: imports are answered until each was followed by one of ``stop_answering``.
    """
    global _users  # noqa: PLW0603 - the import system is one for the process, too
    with _lock:
        _users += 1
        if _users == 1:
            _aside.update(_taken_out(DOORS))
            sys.meta_path.insert(0, _first)
            sys.meta_path.append(_last)


def stop_answering() -> None:
    """End what ``answer_imports`` began; modules of these names that were imported before are there again."""
    global _users  # noqa: PLW0603
    with _lock:
        _users -= 1
        if _users == 0:
            for door in (_first, _last):
                sys.meta_path.remove(door)
            _taken_out(DOORS)
            spare = {name for name in _names(SPARE_DOORS) if sys.modules[name].__name__.startswith("picasso.")}
            for name in spare:
                del sys.modules[name]
            sys.modules.update(_aside)
            _aside.clear()


@contextmanager
def answered_imports(wanted: bool = True) -> Iterator[None]:
    """Answer those imports in the ``with`` block, if ``wanted``."""
    if not wanted:
        yield
        return
    answer_imports()
    try:
        yield
    finally:
        stop_answering()


def _spec_of(name: str) -> ModuleSpec | None:
    try:
        return importlib.util.find_spec(name)
    except ModuleNotFoundError:  # what holds it is not there, or no package
        return None


def _names(packages: dict[str, str]) -> list[str]:
    return [name for name in sys.modules if name.partition(".")[0] in packages]


def _taken_out(packages: dict[str, str]) -> dict[str, ModuleType]:
    """Remove the modules of some packages from those that are imported, and return them."""
    return {name: sys.modules.pop(name) for name in _names(packages)}
