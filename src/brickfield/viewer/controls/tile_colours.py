"""The tiles of a mosaic in colours: as layers beside it, while it is hidden.

Invariant: a mosaic has at most one coloured look in a scene. The look follows the moves
of the mosaic, whose layers come back when the look goes. Main thread only.
"""

from __future__ import annotations

from brickfield.store import MosaicStore
from brickfield.viewer.live import LayerPort, ScenePort


def ways_to_colour(store: MosaicStore) -> list[str]:
    """Return by what tiles can be told apart: each, or an attribute that differs.

    Parameters
    ----------
    store : MosaicStore
    """
    values: dict[str, set[str]] = {}
    for place in store.places:
        for kind, value in place.attributes:
            values.setdefault(kind, set()).add(value)
    found = sorted(k for k, v in values.items() if len(v) > 1 and k != "tile")
    return ["tile", *found]


def look_in(scene: ScenePort, store: MosaicStore) -> MosaicStore | None:
    """Return the coloured look of a mosaic in a scene; None without one.

    Parameters
    ----------
    scene : ScenePort
    store : MosaicStore
        Not itself a look.
    """
    for port in scene.layers:
        other = port.data.store
        if isinstance(other, MosaicStore) and other.is_look_of(store):
            return other
    return None


def colour_tiles(scene: ScenePort, store: MosaicStore, by: str | None) -> None:
    """Show the tiles of a mosaic in colours, or as they are.

    Parameters
    ----------
    scene : ScenePort
    store : MosaicStore
        Not itself a look.
    by : str or None
        One of :func:`ways_to_colour`; None for as they are.

    Raises
    ------
    OptionError
        If no tile has such an attribute.
    """
    before = look_in(scene, store)
    if (None if before is None else before.colour_by) == by:
        return
    look = None if by is None else store.seen_as(colour_by=by)
    if before is not None:
        scene.remove_store(before)
    own = _ports_of(scene, store)
    if look is not None:
        name = own[0].name.partition(":")[0] if own else store.info.name
        # What the eye is used to: the window of contrast stays.
        contrast = own[0].contrast if own else None
        scene.add_store(look, f"{name} by {by}", contrast)
    for port in own:
        port.visible = look is None


def _ports_of(scene: ScenePort, store: MosaicStore) -> list[LayerPort]:
    return [port for port in scene.layers if port.data.store is store]
