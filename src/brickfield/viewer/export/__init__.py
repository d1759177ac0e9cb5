"""Pictures and movies of a store, as values and in files."""

from __future__ import annotations

from brickfield._faces import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from brickfield.viewer.export.files import SCENE_KEY as SCENE_KEY
    from brickfield.viewer.export.files import mark_incomplete as mark_incomplete
    from brickfield.viewer.export.files import scene_of_png as scene_of_png
    from brickfield.viewer.export.files import write_png as write_png
    from brickfield.viewer.export.layer_from_options import make_layer as make_layer
    from brickfield.viewer.export.movie import Movie as Movie
    from brickfield.viewer.export.movie import MovieOptions as MovieOptions
    from brickfield.viewer.export.movie import MovieResult as MovieResult
    from brickfield.viewer.export.movie import write_movie as write_movie
    from brickfield.viewer.export.options import RenderOptions as RenderOptions
    from brickfield.viewer.export.options import render_options as render_options
    from brickfield.viewer.export.picture import RenderResult as RenderResult
    from brickfield.viewer.export.picture import camera_for as camera_for
    from brickfield.viewer.export.picture import render as render
    from brickfield.viewer.export.picture import render_picture as render_picture
    from brickfield.viewer.export.picture_scene import scene_notes as scene_notes
    from brickfield.viewer.export.scene_picture import open_scene as open_scene
    from brickfield.viewer.export.scene_picture import render_scene as render_scene

__all__ = [
    "SCENE_KEY",  # Keyword of the scene document in a picture's texts.
    "Movie",  # What to draw.
    "MovieOptions",  # How to write it.
    "MovieResult",  # What was written.
    "RenderOptions",  # What to draw and at what cost. See :func:`render_options` for friendly input.
    "RenderResult",  # One finished picture.
    "camera_for",  # Return the camera that the options describe for a layer.
    "make_layer",  # Make the layer that the options describe.
    "mark_incomplete",  # Return a picture, shape (h, w, 4), that says in its corner that it is not complete.
    "open_scene",  # Open what the visible layers of a scene show; closed at the end.
    "render",  # Draw one picture of a store without a window.
    "render_options",  # Make options from what is easy to type.
    "render_picture",  # Draw one picture; see :func:`render`. May be called from any thread.
    "render_scene",  # Draw a scene; from any thread.
    "scene_notes",  # Return the text with which a picture's file tells its scene.
    "scene_of_png",  # Return the scene that a picture was drawn of.
    "write_movie",  # Draw and write every frame that is not there yet, then the MP4.
    "write_png",  # Write a picture, shape (h, w, 4), uint8, sRGB; without alpha when opaque.
]

_HOME = {
    "Movie": "movie",
    "MovieOptions": "movie",
    "MovieResult": "movie",
    "RenderOptions": "options",
    "RenderResult": "picture",
    "SCENE_KEY": "files",
    "camera_for": "picture",
    "make_layer": "layer_from_options",
    "mark_incomplete": "files",
    "open_scene": "scene_picture",
    "render": "picture",
    "render_options": "options",
    "render_picture": "picture",
    "render_scene": "scene_picture",
    "scene_notes": "picture_scene",
    "scene_of_png": "files",
    "write_movie": "movie",
    "write_png": "files",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOME)
