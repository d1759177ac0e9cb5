"""OME-Zarr 0.1 to 0.6: its metadata, from the root to one image."""

from __future__ import annotations

from brickfield._faces import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from brickfield.sources.ome_zarr.placing import placement_matrix as placement_matrix
    from brickfield.sources.ome_zarr.scene_writing import moved_scene as moved_scene
    from brickfield.sources.ome_zarr.systems import open_graph as open_graph

__all__ = [
    "moved_scene",  # Return the metadata of a group with a scene of the same images.
    "open_graph",  # Read the coordinate systems of a store.
    "placement_matrix",  # Spread a map of space over all axes.
]

_HOME = {
    "moved_scene": "scene_writing",
    "open_graph": "systems",
    "placement_matrix": "placing",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOME)
