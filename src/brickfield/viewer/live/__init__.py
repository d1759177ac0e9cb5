"""Views that follow their layers and draw in steps."""

from __future__ import annotations

from brickfield._faces import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from brickfield.viewer.live.drawing.drawer import LiveDrawer as LiveDrawer
    from brickfield.viewer.live.drawing.drawer import prepare_view as prepare_view
    from brickfield.viewer.live.frame_state import DEFAULT_BUDGET as DEFAULT_BUDGET
    from brickfield.viewer.live.frame_state import ViewReport as ViewReport
    from brickfield.viewer.live.framing import Place as Place
    from brickfield.viewer.live.framing import are_flat as are_flat
    from brickfield.viewer.live.framing import corners_of as corners_of
    from brickfield.viewer.live.history import history_of as history_of
    from brickfield.viewer.live.history import unrecorded as unrecorded
    from brickfield.viewer.live.live_view import LiveView as LiveView
    from brickfield.viewer.live.ports import Box as Box
    from brickfield.viewer.live.ports import Curve as Curve
    from brickfield.viewer.live.ports import LayerPort as LayerPort
    from brickfield.viewer.live.ports import ScenePort as ScenePort
    from brickfield.viewer.live.ports import SliderAxis as SliderAxis
    from brickfield.viewer.live.slice_plane import PlanePose as PlanePose
    from brickfield.viewer.live.slice_plane import SlicePlane as SlicePlane
    from brickfield.viewer.live.under_cursor import readout as readout

__all__ = [
    "DEFAULT_BUDGET",
    "Box",  # Lower and upper corner (z, y, x), world units.
    "Curve",  # Points (position in the contrast window, opacity), both 0 to 1, ascending.
    "LayerPort",  # One drawn layer. Main thread only. Setting an attribute writes to the owner.
    "LiveDrawer",  # Draws what was posted last.
    "LiveView",  # One picture of a scene that follows its layers and its camera.
    "Place",  # Where a view is.
    "PlanePose",  # How an oblique plane lies, and how it is looked at.
    "ScenePort",  # All layers of one window. Main thread only.
    "SlicePlane",  # A plane through the scene's cross-hair, and the camera that looks straight at it.
    "SliderAxis",  # A non-spatial axis that a slider moves along.
    "ViewReport",  # What a view has come to.
    "are_flat",  # Tell whether there are layers, and all lie in one plane across the world's z.
    "corners_of",  # Return the corners of a layer's data box, shape (8, 3), (z, y, x), world.
    "history_of",  # Return the history of a scene; one for all its views.
    "prepare_view",  # Make a view and compile what pictures of such layers need.
    "readout",  # Say value, place and resolution, the same in shorter and shorter forms.
    "unrecorded",  # Changes within this block are not recorded; main thread only.
]

_HOME = {
    "Box": "ports",
    "Curve": "ports",
    "DEFAULT_BUDGET": "frame_state",
    "LayerPort": "ports",
    "LiveDrawer": "drawing.drawer",
    "LiveView": "live_view",
    "Place": "framing",
    "PlanePose": "slice_plane",
    "ScenePort": "ports",
    "SlicePlane": "slice_plane",
    "SliderAxis": "ports",
    "ViewReport": "frame_state",
    "are_flat": "framing",
    "corners_of": "framing",
    "history_of": "history",
    "prepare_view": "drawing.drawer",
    "readout": "under_cursor",
    "unrecorded": "history",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOME)
