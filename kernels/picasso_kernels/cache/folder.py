"""Where compiled kernels are kept: the first place that can be written and that no one else can write to.

A file of the cache is code that we run, so a folder counts only if it is a folder and no link, if it belongs to us, to
root or to the owner of this package, and if neither its group nor the rest of the world may write to it. The places,
in their order: ``PICASSO_CACHE_DIR``, beside the package, the user's cache, a folder of the user's own among the
temporary files. What another place holds is still read, so that a cache that is part of a read-only image serves.
"""

from __future__ import annotations

import atexit
import logging
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from picasso_kernels.cache.once import MadeOnce, SayOnce

VARIABLE: Final = "PICASSO_CACHE_DIR"
"""The environment variable that names the first place."""
log: Final = logging.getLogger("picasso.kernels")

_PACKAGE = Path(__file__).parents[1]
_OWNER: Final = _PACKAGE.stat().st_uid
_PRIVATE: Final = 0o700


say_once: Final = SayOnce(log)
"""Warns, once in a process for each text."""


@MadeOnce
def cache_folder() -> Path:
    """Return the folder where new machine code is kept; if no place will do, one that goes with this process.

    Raises:
        OSError: Nothing can be written, not even a temporary folder.
    """
    for folder in places():
        if _takes_files(folder):
            return folder
    import shutil
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix="picasso-kernels-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def writable_folder() -> Path | None:
    """Return ``cache_folder()``, or None where nothing can be written."""
    try:
        return cache_folder()
    except OSError:
        return None


def trusted_folders() -> list[Path]:
    """Return the folders that are read: the one that is written, then every other place that exists and is trusted."""
    written = writable_folder()
    others = [folder for folder in places() if folder != written and _can_be_read(folder) and is_trusted(folder)]
    return others if written is None else [written, *others]


def places() -> Iterator[Path]:
    """Yield the places of the cache, best first, whether they exist or not."""
    if named := os.environ.get(VARIABLE):
        yield Path(os.path.realpath(os.path.expanduser(named)))
    yield _PACKAGE / "__pycache__" / "kernels"
    if user := _user_cache():
        yield user / "picasso" / "kernels"
    import tempfile

    try:
        yield Path(tempfile.gettempdir()) / f"picasso-kernels-{os.getuid()}"
    except OSError:  # no folder for temporary files
        return


def is_trusted(folder: Path) -> bool:
    """Tell whether only we, root or the owner of this package can have written what is in ``folder``.

    False for what is not there. Says once why a folder that is there is not trusted.
    """
    try:
        status = folder.lstat()
    except OSError:
        return False
    if not stat.S_ISDIR(status.st_mode):
        why = "it is not a folder"
    elif not has_trusted_owner(status):
        why = f"it belongs to user {status.st_uid}"
    elif status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        why = f"others can write to it (mode {stat.S_IMODE(status.st_mode):03o})"
    else:
        return True
    say_once(f"the kernel cache {folder} is not used: {why}")
    return False


def has_trusted_owner(status: os.stat_result) -> bool:
    """Tell whether a file belongs to someone whose code we run anyway: us, root, or the owner of this package."""
    return status.st_uid in {os.getuid(), 0, _OWNER}


def _can_be_read(folder: Path) -> bool:
    return os.access(folder, os.R_OK | os.X_OK)


def _user_cache() -> Path | None:
    """Return the user's folder for caches; None for a user who has no home."""
    named = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(named):  # others are to be ignored, says the standard
        return Path(named)
    try:
        return Path.home() / ".cache"
    except RuntimeError:  # no HOME, and nothing in the table of users
        return None


def _takes_files(folder: Path) -> bool:
    """Make the folder if it is not there, for us alone, and tell whether it is trusted and takes a file."""
    import tempfile

    try:
        folder.parent.mkdir(0o755, parents=True, exist_ok=True)
        folder.mkdir(_PRIVATE, exist_ok=True)
        if not is_trusted(folder):
            return False
        tempfile.TemporaryFile(dir=folder).close()
    except (OSError, ValueError):  # ValueError: a name with a null byte
        return False
    return True
