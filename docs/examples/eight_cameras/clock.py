"""Writes into each frame how many of its source came before it."""

from picasso.module import Frame


def stamp(frame: Frame) -> None:
    frame.set_tag("number", frame.frame_num)
