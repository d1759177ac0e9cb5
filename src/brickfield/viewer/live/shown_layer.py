"""A layer as the render thread knows it: the latest snapshot of it, and no more."""

from __future__ import annotations

from dataclasses import replace

from brickfield.model.versions import VersionCounter
from brickfield.viewer.live.frame_state import FrameState, LayerSnapshot

_PICTURE = (
    "camera",
    "plane",
    "overlays",
    "size",
    "pixel_ratio",
    "target_error_px",
    "forced_level",
    "show_levels",
    "lighting",
    "background",
    "gpu_budget",
)
_LAYER = ("selections", "visible", "versions", "world", "n_changes")


class ShownLayer:
    """What a renderer draws. Render thread only.

    Parameters
    ----------
    snapshot : LayerSnapshot
    """

    def __init__(self, snapshot: LayerSnapshot) -> None:
        self.data_version = VersionCounter()
        self.colormap_version = VersionCounter()
        self.geometry_version = VersionCounter()
        self.source = snapshot.layer
        self.take(snapshot, FrameState())

    def take(self, snapshot: LayerSnapshot, state: FrameState) -> None:
        """Show this from now on, as a view shows all its layers."""
        self.store = snapshot.store
        self.appearance = replace(
            snapshot.appearance,
            show_levels=state.show_levels,
            lighting=state.lighting,
        )
        self.selections = snapshot.selections
        self.world = snapshot.world
        self.visible = snapshot.visible
        mine = (self.data_version, self.colormap_version, self.geometry_version)
        for counter, value in zip(mine, snapshot.versions, strict=True):
            while counter.value < value:
                counter.bump()


def shows_same(a: FrameState, b: FrameState) -> bool:
    """Tell whether two states make the same picture.

    They often do: owners of layers tell of much that has nothing to do with pixels.
    """
    return (
        all(getattr(a, name) == getattr(b, name) for name in _PICTURE)
        and len(a.layers) == len(b.layers)
        and all(map(_is_same_layer, a.layers, b.layers))
        and a.objects.keys() == b.objects.keys()
        and all(a.objects[key] is b.objects[key] for key in a.objects)
    )


def _is_same_layer(a: LayerSnapshot, b: LayerSnapshot) -> bool:
    return (
        a.layer is b.layer
        and a.store is b.store
        and a.appearance is b.appearance
        and all(getattr(a, name) == getattr(b, name) for name in _LAYER)
    )
