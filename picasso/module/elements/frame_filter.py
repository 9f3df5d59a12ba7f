"""Functions of the user's that decide which frames come in, or which frames a sink gets."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from picasso.module.elements.calling import check_call
from picasso.module.elements.loading import CodePath, ElementError, find
from picasso.module.elements.reloading_function import ReloadingFunction

if TYPE_CHECKING:
    from picasso.module.config import FilterConfig, ModuleConfig
    from picasso.module.config.problem import Path
    from picasso.primitives import VideoFrame

FrameFilter = Callable[["VideoFrame"], bool]
"""Whether a frame passes."""
logger: logging.Logger = logging.getLogger("picasso.module")


def find_filter(config: FilterConfig, code: CodePath) -> FrameFilter:
    """Load a filter: a function, or a class whose instance can be called.

    Raises:
        ElementError: It is not there, or cannot be called.
        Exception: What the user's code raises while it is loaded.
    """
    return _made(find(code.load(config.module), config.class_name), config.kwargs)


def load_filter(config: FilterConfig, code: CodePath) -> FrameFilter | None:
    """Load the filter of a sink; None, with a warning, where that cannot be done: everything passes."""
    try:
        return find_filter(config, code)
    except Exception as error:  # noqa: BLE001 - what the user's code raises
        logger.warning("the frame filter %s.%s is not used: %s", config.module, config.class_name, error)
        return None


def follow_filter(config: FilterConfig, path: Path, key: str, module: ModuleConfig, code: CodePath) -> FrameFilter:
    """Load a filter in ``dev_mode``: it follows its file, and its arguments in the module's; until it loads all pass.

    Args:
        config: The filter.
        path: Of the source or sink that has it.
        key: Under which it has it.
        module: The module.
        code: Where modules are looked for.
    """
    watch = module.watch
    function = ReloadingFunction(
        config.module, config.class_name, config.kwargs, code, make=_made, default=True, watch=watch
    )
    if watch is not None:

        def kwargs_of(new: ModuleConfig) -> dict[str, Any] | None:
            filters = {one.path: one.frame_filter for one in new.sources} | {
                one.path: one.frame_filter for one in new.sinks
            }
            found = filters.get(path)
            is_same = found is not None and (found.module, found.class_name) == (config.module, config.class_name)
            return dict(found.kwargs) if found is not None and is_same else None

        watch.follow((*path, key, "kwargs"), kwargs_of=kwargs_of, take=function.take)
    return function


def _made(found: Any, kwargs: dict[str, Any]) -> FrameFilter:
    """Make a filter: of a class its object, made with ``kwargs``; of a function itself, called with them, too.

    Raises:
        ElementError: It cannot be called.
    """
    if not isinstance(found, type):
        check_call(found, "a frame", 1, kwargs)
        function: FrameFilter = functools.partial(found, **kwargs) if kwargs else found
        return function
    made: Any = found(**kwargs)
    if not callable(made):
        raise ElementError(f"{found.__name__} cannot be called with a frame: it does not define __call__")
    check_call(made, "a frame", 1)
    accepts: FrameFilter = made
    return accepts
