"""What a reader says once of a file: what of it is changed, or left as it is."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from picasso_kernels.cache.once import SayOnce

if TYPE_CHECKING:
    from picasso.media.info import MediaInfo

log = logging.getLogger("picasso.media")
say_once: Final = SayOnce(log)
"""Warns, unless the same was said before in this process."""


def warn_of(info: MediaInfo, *, tone_map: bool) -> None:
    """Warn of high dynamic range, of fields, and of a turn that is not applied."""
    if info.is_hdr:
        how = "its tones are mapped to BT.709" if tone_map else "its numbers are kept as if they were BT.709"
        say_once(f"{info.location}: {info.color_transfer} is high dynamic range: {how}")
    if info.is_interlaced:
        say_once(f"{info.location}: interlaced ({info.field_order}): both fields are left in one picture")
    if info.orientation is None:
        say_once(f"{info.location}: its turn by {info.rotation_deg} degrees is none by quarters, and not applied")
