"""A module: a YAML file that names sources, steps and sinks, and runs."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from picasso.module.elements import (
    AuxiliaryStream,
    BasePyFuncCallableImpl,
    BasePyFuncImpl,
    BasePyFuncPlugin,
    Batch,
    PyFunc,
)
from picasso.module.elements import BasePyFuncPlugin as NvDsPyFuncPlugin
from picasso.module.elements.loading import ElementError
from picasso.module.meta import UNTRACKED_OBJECT_ID, AttributeMeta, Frame, ObjectMeta
from picasso.module.params import eval_expr, param_storage
from picasso.module.params.etcd import EtcdError
from picasso.observe import Counter, Gauge

if TYPE_CHECKING:
    from picasso.module.config import ConfigError, load_config
    from picasso.module.drawing import Artist, BaseNvDsDrawFunc, NvDsDrawFunc, Position
    from picasso.module.run.module import Module
    from picasso.module.run.state import ModuleState

_LATE = {
    "Artist": "picasso.module.drawing",
    "BaseNvDsDrawFunc": "picasso.module.drawing",
    "NvDsDrawFunc": "picasso.module.drawing",
    "Position": "picasso.module.drawing",
    "ConfigError": "picasso.module.config",
    "load_config": "picasso.module.config",
    "Module": "picasso.module.run.module",
    "ModuleState": "picasso.module.run.state",
}
"""Names that need the ``module`` extra or the painter, imported when they are asked for."""

__all__ = [
    "UNTRACKED_OBJECT_ID",
    "Artist",
    "AttributeMeta",
    "AuxiliaryStream",
    "BaseNvDsDrawFunc",
    "BasePyFuncCallableImpl",
    "BasePyFuncImpl",
    "BasePyFuncPlugin",
    "Batch",
    "ConfigError",
    "Counter",
    "ElementError",
    "EtcdError",
    "Frame",
    "Gauge",
    "Module",
    "ModuleState",
    "NvDsDrawFunc",
    "NvDsPyFuncPlugin",
    "ObjectMeta",
    "Position",
    "PyFunc",
    "eval_expr",
    "load_config",
    "param_storage",
]


def __getattr__(name: str) -> Any:
    if name in _LATE:
        return getattr(importlib.import_module(_LATE[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
