"""Names that existing modules import and that this version cannot use yet: they resolve, and say so when used."""

from __future__ import annotations

from typing import Any

from picasso.errors import PicassoError


class NotBuiltError(PicassoError, NotImplementedError):
    """Something that a module imports is used, and this version does not have it; the message names it."""


class _Later(type):
    """The type of such names: calling one, or asking it for a member, raises."""

    _what: str
    _needs: str

    def __call__(cls, *_args: Any, **_kwargs: Any) -> Any:
        own = "" if "_what" in vars(cls) else f" (a base of {cls.__module__}.{cls.__qualname__})"
        raise NotBuiltError(f"{cls._what}{own} cannot be used yet: {cls._needs} in a later version")

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("_"):  # what Python itself asks for
            raise AttributeError(name)
        raise NotBuiltError(f"{cls._what}.{name} cannot be used yet: {cls._needs} in a later version")

    def __getitem__(cls, key: object) -> Any:
        raise NotBuiltError(f"{cls._what}[{key!r}] cannot be used yet: {cls._needs} in a later version")

    def __setitem__(cls, key: object, value: object) -> None:
        cls[key]

    def __repr__(cls) -> str:
        return f"<{cls._what}: {cls._needs} in a later version>"


def later(what: str, needs: str) -> Any:
    """Make a name that can be imported, named in annotations and derived from, and that raises when it is used.

    Args:
        what: The full name, such as ``savant.metrics.Counter``.
        needs: What brings it, with its verb: ``metrics come``.

    Returns:
        A class; its calls, members, items, and instances of classes derived from it raise ``NotBuiltError``.
    """
    return _Later(what.rpartition(".")[2], (), {"_what": what, "_needs": needs, "__doc__": f"{needs} later."})
