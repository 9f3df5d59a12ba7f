"""The elements of a pipeline: the user's code, loaded by name."""

from picasso.module.elements.base import (
    BasePyFuncCallableImpl,
    BasePyFuncImpl,
    BasePyFuncPlugin,
    Batch,
    PyFunc,
    StreamEvent,
)
from picasso.module.elements.loading import CodePath, ElementError
from picasso.module.elements.pyfunc import PyFuncElement
from picasso.module.elements.reloading import ReloadingElement

__all__ = [
    "BasePyFuncCallableImpl",
    "BasePyFuncImpl",
    "BasePyFuncPlugin",
    "Batch",
    "CodePath",
    "ElementError",
    "PyFunc",
    "PyFuncElement",
    "ReloadingElement",
    "StreamEvent",
]
