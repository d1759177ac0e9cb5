"""What lies under the cursor, in one line as long as there is room."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from brickfield.model.picked import PickInfo
from brickfield.model.scales import Vec3
from brickfield.viewer import words
from brickfield.viewer.ports import LayerPort
from brickfield.viewer.quantities import coordinates


def readout(
    info: PickInfo, ports: Sequence[LayerPort], unit: str = ""
) -> tuple[str, ...]:
    """Say value, place and level, the same in fewer and fewer words.

    Parameters
    ----------
    info : PickInfo
    ports : sequence of LayerPort
        All layers; one is named when several can be seen.
    unit : str
        Of world coordinates.

    Returns
    -------
    tuple of str
        For example ``cells: label 12 at (z 1.0, y 2.0, x 3.0 µm) · level 0``, the
        same without the layer, without the level, and ``label 12 · 1.0, 2.0, 3.0``.
        Empty when the layer is gone.
    """
    port = port_of(info, ports)
    if port is None:
        return ()
    place = coordinates(info.world, unit, voxel_size=_voxel_size(port, info.level))
    text = words.under_cursor(
        info.values, place, level=info.level, is_labels=port.is_labels
    )
    head, _, _ = text.partition(f" at {place}")
    numbers = ", ".join(part.split()[1] for part in place.strip("()").split(", "))
    is_alone = sum(other.visible for other in ports) < 2
    whole = () if is_alone else (f"{port.name}: {text}",)
    return (*whole, text, f"{head} at {place}", f"{head}{words.DOT}{numbers}")


def port_of(info: PickInfo, ports: Sequence[LayerPort]) -> LayerPort | None:
    """Return the port of what was picked.

    The picture was drawn of a copy: the same store and the same selections say
    whose it is, and of two that share both, the last is on top.
    """
    for port in reversed(ports):
        layer = port.data
        if (
            port.visible
            and layer.store is info.layer.store
            and tuple(layer.selections) == tuple(info.layer.selections)
        ):
            return port
    return None


def _voxel_size(port: LayerPort, level: int) -> Vec3:
    """Extent of a level's voxel along the world's axes."""
    per_level_0 = np.abs(port.data.world.matrix[:3, :3])
    size = per_level_0 @ port.data.store.pyramid.downscale[level]
    z, y, x = (float(v) for v in size)
    return (z, y, x)
