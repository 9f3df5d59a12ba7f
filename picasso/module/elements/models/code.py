"""Code of users that a model's block names: converters, selectors, and what prepares objects and pictures."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from picasso.errors import ModelError
from picasso.module.elements.loading import ElementError, find
from picasso.module.elements.reloading_function import ReloadingFunction

if TYPE_CHECKING:
    from picasso.infer.inputs import ImageHook
    from picasso.module.elements.loading import CodePath
    from picasso.surface import SurfaceView

_STOCK: Final = ("savant.selector", "savant.converter", "picasso.savant.selector")
"""Modules of the reference whose work heads and rules of ours do."""


def is_stock(block: Mapping[str, Any] | None) -> bool:
    """Whether a block names a converter or selector of the reference's own."""
    module = str((block or {}).get("module") or "")
    return any(module == name or module.startswith(f"{name}.") for name in _STOCK)


def is_own_code(block: Mapping[str, Any] | None) -> bool:
    """Whether a block names code of the user's."""
    return bool((block or {}).get("module")) and not is_stock(block)


class UserCode:
    """Loads what the block of one model names; in ``dev_mode`` it follows its file."""

    def __init__(self, element: str, code: CodePath, *, follows_files: bool = False) -> None:
        """Remember whose it is, where code is looked for, and whether it is loaded again when its file changes."""
        self._element = element
        self._code = code
        self._follows_files = follows_files

    def build(self, block: Mapping[str, Any] | None, what: str) -> Any:
        """Return an object that can be called: an instance of a class with ``kwargs``, or a function with them bound.

        Args:
            block: ``module``, ``class_name`` and ``kwargs``; None gives None.
            what: The key, for errors.

        Raises:
            ElementError: It cannot be loaded or built, or cannot be called.
        """
        if block is None:
            return None
        kwargs, module, name = dict(block.get("kwargs") or {}), str(block["module"]), str(block["class_name"])
        try:
            made = _made(find(self._code.load(module), name), kwargs)
        except ElementError as error:
            raise ElementError(f"element {self._element}: {what}: {error}") from error.__cause__
        except Exception as error:
            text = f"{name} cannot be built: {type(error).__name__}: {error}"
            raise ElementError(f"element {self._element}: {what}: {text}") from error
        if self._follows_files:
            return ReloadingFunction(module, name, kwargs, self._code, make=_made, default=None)
        return made


def _made(thing: Any, kwargs: dict[str, Any]) -> Callable[..., Any]:
    """Make what is called of a class or a function."""
    if not inspect.isclass(thing):
        return _bound(thing, kwargs)
    made = thing(**kwargs)
    if not callable(made):
        raise ElementError(f"{thing.__name__} does not define __call__")
    return made


def image_hook(user: Callable[[Any], Any] | None) -> ImageHook | None:
    """Return what gives a crop to a user's function: pixels in host memory as an array, those on a GPU as they are.

    The function changes ``(height, width, 4)`` RGBA in place, or returns other pixels.
    """
    if user is None:
        return None

    def hook(surface: SurfaceView) -> Any:
        if surface.is_cuda:
            answer = user(surface)
        else:
            width, height = surface.size_wh
            answer = user(surface.planes[0].reshape(height, width, 4))
        if answer is None:
            return surface
        if isinstance(answer, np.ndarray) and answer.dtype != np.uint8:
            raise ModelError(f"preprocess_object_image returned {answer.dtype} pixels; expected uint8")
        return np.ascontiguousarray(answer) if isinstance(answer, np.ndarray) else answer

    return hook


def _bound(function: Callable[..., Any], kwargs: dict[str, Any]) -> Callable[..., Any]:
    if not kwargs:
        return function
    return lambda *arguments, **named: function(*arguments, **named, **kwargs)
