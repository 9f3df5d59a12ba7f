"""The names of ``savant.parameter_storage``."""

from __future__ import annotations

from picasso.module.params import EtcdStorageConfig, param_storage

__all__ = ["EtcdStorageConfig", "param_storage"]
