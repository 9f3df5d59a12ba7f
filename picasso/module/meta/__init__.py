"""Frames, objects and attributes as pyfuncs see them."""

from picasso.module.meta.attribute import AttributeMeta
from picasso.module.meta.frame import Frame
from picasso.module.meta.object import UNTRACKED_OBJECT_ID, ObjectMeta, build_bbox
from picasso.module.meta.pixels import FramePixels

__all__ = ["UNTRACKED_OBJECT_ID", "AttributeMeta", "Frame", "FramePixels", "ObjectMeta", "build_bbox"]
