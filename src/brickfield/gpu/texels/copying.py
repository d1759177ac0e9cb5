"""Copies parts of borders from slot to slot of one texture, without a way through memory.

WebGPU forbids copies within a texture, so they go through three small ones, in which
all parts of one brick's border have places of their own. The device keeps them, for each
format and size of slots, beside the budget: six layers of a slot's texels, 0.1 MB for
32-bit bricks of 64 voxels. Render thread only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import wgpu

from brickfield.gpu.allocator import Slot
from brickfield.gpu.level_texture import LevelTexture
from brickfield.gpu.names import Name
from brickfield.model import Int3


class Copy(NamedTuple):
    """A part of a border, and who lends it.

    Attributes
    ----------
    lender : (plane, key)
    across : int
        Axis along which the lender lies beside the brick: the part is one texel thick.
    source, target, size : tuple of int
        Places in the slots and extent, texels (z, y, x).
    """

    lender: Name
    across: int
    source: Int3
    target: Int3
    size: Int3


_STAGES: WeakKeyDictionary[Any, dict[tuple[str, Int3], list[Any]]] = WeakKeyDictionary()


def _stages(device: Any, like: Any, slot_zyx: Int3) -> list[Any]:
    """Return the textures that copies go through, one for faces across each axis."""
    known = _STAGES.setdefault(device, {})
    key = (like.format, slot_zyx)
    if key not in known:
        usage = wgpu.TextureUsage.COPY_SRC | wgpu.TextureUsage.COPY_DST
        # Two layers: a brick has a face on either side.
        shapes = [
            tuple(2 if k == axis else n for k, n in enumerate(slot_zyx))
            for axis in range(3)
        ]
        known[key] = [
            device.create_texture(
                size=shape[::-1], dimension="3d", format=like.format, usage=usage
            )
            for shape in shapes
        ]
    return known[key]


def copy_parts(
    device: Any, texture: LevelTexture | None, name: Name, parts: Sequence[Copy]
) -> None:
    """Copy parts of a brick's border from the slots of its neighbours.

    Parameters
    ----------
    device : wgpu.GPUDevice
    texture : LevelTexture or None
        Holds the brick and all lenders.
    name : (plane, key)
        The brick.
    parts : sequence of Copy
    """
    if texture is None or not parts:
        return
    handle, residency = texture.handle, texture.residency
    w, h, d = residency.allocator.slot_size
    slot_of, slot_zyx = residency.slot_of, (d, h, w)
    stages, encoder = _stages(device, handle, slot_zyx), device.create_command_encoder()
    copy, back = encoder.copy_texture_to_texture, []
    for part in parts:
        origins = [
            _origin(slot_of(owner), slot_zyx, at)
            for owner, at in ((part.lender, part.source), (name, part.target))
        ]
        if None in origins:
            continue
        # One of two layers; along the other axes as in the slot, where no two meet.
        between = list(part.target)
        between[part.across] = int(part.target[part.across] > 0)
        stage = {"texture": stages[part.across], "origin": tuple(between[::-1])}
        copy({"texture": handle, "origin": origins[0]}, stage, part.size[::-1])
        back.append((stage, {"texture": handle, "origin": origins[1]}, part.size[::-1]))
    # After all others: the texture changes its use once.
    for stage, place, size in back:
        copy(stage, place, size)
    device.queue.submit([encoder.finish()])


def _origin(slot: Slot | None, slot_zyx: Int3, at: Int3) -> Int3 | None:
    """Return a place (z, y, x) in a slot as one in the texture (x, y, z)."""
    if slot is None:
        return None
    (i, j, k), (d, h, w), (z, y, x) = slot, slot_zyx, at
    return i * w + x, j * h + y, k * d + z
