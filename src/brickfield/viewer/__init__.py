"""Joins layers with views: from a user's options to a picture."""

from __future__ import annotations

from brickfield._faces import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from brickfield.viewer.colormaps import COMMON as COMMON
    from brickfield.viewer.colormaps import channel_color as channel_color
    from brickfield.viewer.colormaps import lut as lut
    from brickfield.viewer.thumbnails import thumbnail as thumbnail

__all__ = [
    "COMMON",  # Names worth offering first; many more are known.
    "channel_color",  # Give the default colour of a channel, red, green and blue, 0 to 255.
    "lut",  # Look a colormap up by name.
    "thumbnail",  # Draw an image small: channels in their colours, the maximum along z.
]

_HOME = {
    "COMMON": "colormaps",
    "channel_color": "colormaps",
    "lut": "colormaps",
    "thumbnail": "thumbnails",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOME)
