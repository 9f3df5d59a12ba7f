"""A module: a YAML file that names sources, steps and sinks, and runs."""

from picasso.module.elements import BasePyFuncCallableImpl, BasePyFuncImpl, BasePyFuncPlugin, Batch, PyFunc
from picasso.module.elements import BasePyFuncPlugin as NvDsPyFuncPlugin
from picasso.module.meta import UNTRACKED_OBJECT_ID, AttributeMeta, Frame, ObjectMeta
from picasso.module.params import eval_expr, param_storage

__all__ = [
    "UNTRACKED_OBJECT_ID",
    "AttributeMeta",
    "BasePyFuncCallableImpl",
    "BasePyFuncImpl",
    "BasePyFuncPlugin",
    "Batch",
    "Frame",
    "NvDsPyFuncPlugin",
    "ObjectMeta",
    "PyFunc",
    "eval_expr",
    "param_storage",
]
