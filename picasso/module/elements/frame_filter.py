"""Functions of the user's that decide which frames come in, or which frames a sink gets."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from picasso.module.elements.loading import CodePath, ElementError, find

if TYPE_CHECKING:
    from picasso.module.config import FilterConfig
    from picasso.primitives import VideoFrame

FrameFilter = Callable[["VideoFrame"], bool]
"""Whether a frame passes."""
logger = logging.getLogger("picasso.module")


def find_filter(config: FilterConfig, code: CodePath) -> FrameFilter:
    """Load a filter: a function, or a class whose instance can be called.

    Raises:
        ElementError: It is not there, or cannot be called.
        Exception: What the user's code raises while it is loaded.
    """
    made: Any = find(code.load(config.module), config.class_name)
    if isinstance(made, type):
        made = made(**config.kwargs)
    if not callable(made):
        raise ElementError(f"{config.class_name} cannot be called with a frame")
    accepts: FrameFilter = made
    return accepts


def load_filter(config: FilterConfig, code: CodePath) -> FrameFilter | None:
    """Load the filter of a sink; None, with a warning, where that cannot be done: everything passes."""
    try:
        return find_filter(config, code)
    except Exception as error:  # noqa: BLE001 - whatever the user's code raises
        logger.warning("the frame filter %s.%s is not used: %s", config.module, config.class_name, error)
        return None
