"""The elements of a pipeline: the user's code, loaded by name."""

from picasso.module.elements.auxiliary import AuxiliaryStream
from picasso.module.elements.base import (
    BasePyFuncCallableImpl,
    BasePyFuncImpl,
    BasePyFuncPlugin,
    Batch,
    ElementQueue,
    PyFunc,
    Services,
    StreamEvent,
)
from picasso.module.elements.loading import CodePath, ElementError
from picasso.module.elements.pyfunc import PyFuncElement
from picasso.module.elements.reloading import ReloadingElement

__all__ = [
    "AuxiliaryStream",
    "BasePyFuncCallableImpl",
    "BasePyFuncImpl",
    "BasePyFuncPlugin",
    "Batch",
    "CodePath",
    "ElementError",
    "ElementQueue",
    "PyFunc",
    "PyFuncElement",
    "ReloadingElement",
    "Services",
    "StreamEvent",
]
