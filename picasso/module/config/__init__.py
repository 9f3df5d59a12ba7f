"""A module's configuration: one YAML file over built-in defaults, checked as a whole before anything opens."""

from picasso.module.config.load import load_config
from picasso.module.config.merge import Origin
from picasso.module.config.model import (
    BufferQueues,
    DrawFunc,
    ElementConfig,
    FilterConfig,
    FrameConfig,
    ModuleConfig,
    OutputFrame,
    Padding,
    SinkConfig,
    SourceConfig,
)
from picasso.module.config.problem import ConfigError, Problem
from picasso.module.config.render import render
from picasso.module.config.schema import editor_schema, module_schema
from picasso.module.config.watch import ConfigWatch

__all__ = [
    "BufferQueues",
    "ConfigError",
    "ConfigWatch",
    "DrawFunc",
    "ElementConfig",
    "FilterConfig",
    "FrameConfig",
    "ModuleConfig",
    "Origin",
    "OutputFrame",
    "Padding",
    "Problem",
    "SinkConfig",
    "SourceConfig",
    "editor_schema",
    "load_config",
    "module_schema",
    "render",
]
