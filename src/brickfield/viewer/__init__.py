"""Joins layers with views: from a user's options to a picture."""

from __future__ import annotations

from brickfield._faces import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from brickfield.viewer.colormaps import COMMON as COMMON
    from brickfield.viewer.colormaps import channel_color as channel_color
    from brickfield.viewer.colormaps import lut as lut
    from brickfield.viewer.interpreter import begin_loading as begin_loading
    from brickfield.viewer.interpreter import loading as loading
    from brickfield.viewer.interpreter import quick_turns as quick_turns
    from brickfield.viewer.thumbnails import thumbnail as thumbnail

__all__ = [
    "COMMON",  # Names worth offering first; many more are known.
    "begin_loading",  # Let the window have its turns while another thread loads much.
    "channel_color",  # Give the default colour of a channel, red, green and blue, 0 to 255.
    "loading",  # Let the window have its turns meanwhile; see :func:`begin_loading`.
    "lut",  # Look a colormap up by name.
    "quick_turns",  # Give the interpreter to the window's thread soon while another one computes.
    "thumbnail",  # Draw an image small: channels in their colours, the maximum along z.
]

_HOME = {
    "COMMON": "colormaps",
    "begin_loading": "interpreter",
    "channel_color": "colormaps",
    "loading": "interpreter",
    "lut": "colormaps",
    "quick_turns": "interpreter",
    "thumbnail": "thumbnails",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOME)
