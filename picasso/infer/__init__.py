"""Models: pictures in, objects in source pixels out."""

from picasso.infer.providers import available_providers, choose_providers, threads_for
from picasso.infer.session import Session, TensorInfo

__all__ = ["Session", "TensorInfo", "available_providers", "choose_providers", "threads_for"]
