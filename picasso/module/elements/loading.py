"""A user's code by name: import paths and files, looked for where users expect them."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from picasso.errors import PicassoError

_PREFIX: Final = "_picasso_"
"""Of the names of modules that are loaded from a file."""


class ElementError(PicassoError, RuntimeError):
    """Code of an element cannot be loaded, refused to start, or raised; the message names the element."""


@dataclass(frozen=True, slots=True)
class CodePath:
    """Where modules of users are looked for, in this order: the YAML file's folder, the working one, the code root."""

    folders: tuple[Path, ...]

    @classmethod
    def of(cls, folder: str | None, code_root: str | None) -> CodePath:
        """Build the path of a module.

        Args:
            folder: The folder of the YAML file, if there is one.
            code_root: A further folder, used where it exists.
        """
        places = [folder, ".", code_root if code_root and Path(code_root).is_dir() else None]
        found = [Path(place).resolve() for place in places if place is not None]
        return cls(tuple(dict.fromkeys(found)))

    def load(self, module: str) -> ModuleType:
        """Import a module by import path (``pkg.part``) or file (``drawers/mine.py``).

        Raises:
            ElementError: It is not there, or raises while it is imported.
        """
        file = self.file_of(module)
        if file is not None and _looks_like_file(module):
            return _load_file(file)
        known = sys.modules.get(module)
        if file is not None and known is not None and getattr(known, "__file__", None) != str(file):
            del sys.modules[module]  # another folder's module of the same name
        with self._on_path():
            try:
                return importlib.import_module(module)
            except ModuleNotFoundError as error:
                if error.name is not None and (module == error.name or module.startswith(f"{error.name}.")):
                    raise ElementError(f"module {module!r} is not found; {self._looked()}") from None
                raise ElementError(f"module {module!r} cannot be imported: {error}{_door(error)}") from error
            except Exception as error:
                raise ElementError(f"module {module!r} cannot be imported: {_words(error)}") from error

    def file_of(self, module: str) -> Path | None:
        """Return the file of a module of the user's; None for one that is installed elsewhere."""
        name = Path(module) if _looks_like_file(module) else Path(*module.split("."))
        for folder in self.folders:
            for file in (folder / name, folder / name.with_suffix(".py"), folder / name / "__init__.py"):
                if file.is_file():
                    return file
        return None

    def reload(self, module: str) -> ModuleType:
        """Execute a module's code again and return it.

        Raises:
            ElementError: It is not there, or raises.
        """
        file = self.file_of(module)
        if file is None:
            raise ElementError(f"module {module!r} is not found; {self._looked()}")
        with suppress(OSError):  # it is taken for current where size and second of the file are as before
            Path(importlib.util.cache_from_source(str(file))).unlink()
        if _looks_like_file(module):
            return _load_file(file)
        sys.modules.pop(module, None)
        importlib.invalidate_caches()
        return self.load(module)

    @contextmanager
    def _on_path(self) -> Iterator[None]:
        """Put the folders before Python's own path while a module is imported."""
        own = [str(folder) for folder in self.folders]
        sys.path[:0] = own
        try:
            yield
        finally:  # those that we put there, and no more: other threads import as well
            for folder in own:
                with suppress(ValueError):  # the module has taken it out
                    sys.path.remove(folder)

    def _looked(self) -> str:
        return f"looked in {', '.join(map(str, self.folders))} and Python's own path"


def find(module: ModuleType, name: str) -> Callable[..., Any]:
    """Return a class or function of a module.

    Raises:
        ElementError: There is none of that name, or it cannot be called.
    """
    thing: Any = module
    for part in name.split("."):
        thing = getattr(thing, part, None)
    if thing is None:
        own = [key for key, value in vars(module).items() if callable(value) and value.__module__ == module.__name__]
        choices = f"; there are {', '.join(sorted(own))}" if own else ""
        raise ElementError(f"module {_shown(module)!r} has no {name!r}{choices}")
    if not callable(thing):
        raise ElementError(f"module {_shown(module)!r}: {name} is not a class or function: {thing!r:.80}")
    found: Callable[..., Any] = thing
    return found


def _shown(module: ModuleType) -> str:
    """Return a module's name as its user wrote it: that of the file, where it was loaded from one."""
    is_of_file = module.__name__.startswith(_PREFIX)
    return Path(module.__file__).name if is_of_file and module.__file__ else module.__name__


def _looks_like_file(module: str) -> bool:
    return module.endswith(".py") or "/" in module


def _load_file(file: Path) -> ModuleType:
    """Execute a file as a module whose name ends in the file's own, so that loggers and pickles can name it."""
    tag = hashlib.sha256(str(file).encode()).hexdigest()[:8]
    name = f"{_PREFIX}{tag}_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ElementError(f"{file} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise ElementError(f"{file} cannot be executed: {_words(error)}{_door(error)}") from error
    return module


def _door(error: BaseException) -> str:
    """Return what to do about an import of the reference's packages, where that is what failed."""
    missing = error.name if isinstance(error, ModuleNotFoundError) else None
    is_theirs = missing in ("savant", "savant_rs", "gi")
    return "; picasso run --compat, or parameters.compat: true, answers it" if is_theirs else ""


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
