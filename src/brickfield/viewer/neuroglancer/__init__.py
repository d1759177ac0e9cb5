"""Neuroglancer's JSON state, written and read for what both know."""

from __future__ import annotations

from brickfield._faces import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from brickfield.viewer.neuroglancer.layers import (
        NeuroglancerLayer as NeuroglancerLayer,
    )
    from brickfield.viewer.neuroglancer.read import NeuroglancerView as NeuroglancerView
    from brickfield.viewer.neuroglancer.read import (
        read_neuroglancer as read_neuroglancer,
    )
    from brickfield.viewer.neuroglancer.read import state_in_text as state_in_text
    from brickfield.viewer.neuroglancer.space import Turn as Turn
    from brickfield.viewer.neuroglancer.space import (
        height_at_target as height_at_target,
    )
    from brickfield.viewer.neuroglancer.space import looking as looking
    from brickfield.viewer.neuroglancer.write import (
        NeuroglancerState as NeuroglancerState,
    )
    from brickfield.viewer.neuroglancer.write import Stored as Stored
    from brickfield.viewer.neuroglancer.write import Surroundings as Surroundings
    from brickfield.viewer.neuroglancer.write import neuroglancer_of as neuroglancer_of

__all__ = [
    "NeuroglancerLayer",  # One layer of a state.
    "NeuroglancerState",  # A state as plain values, ready for ``json.dumps``.
    "NeuroglancerView",  # Where a state is and looks; lengths in units of `unit`.
    "Stored",  # What must be known of the data behind a layer.
    "Surroundings",  # What the state of a scene does not say.
    "Turn",  # A way to look: what points right, down and away, unit vectors (z, y, x).
    "height_at_target",  # Return how many world units the picture is high where the camera looks to.
    "looking",  # Return position and up of a camera that looks another way.
    "neuroglancer_of",  # Write a scene as Neuroglancer's state.
    "read_neuroglancer",  # Read a state.
    "state_in_text",  # Find a state in a text: JSON, or an address of Neuroglancer that holds it.
]

_HOME = {
    "NeuroglancerLayer": "layers",
    "NeuroglancerState": "write",
    "NeuroglancerView": "read",
    "Stored": "write",
    "Surroundings": "write",
    "Turn": "space",
    "height_at_target": "space",
    "looking": "space",
    "neuroglancer_of": "write",
    "read_neuroglancer": "read",
    "state_in_text": "read",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOME)
