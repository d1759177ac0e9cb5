"""How a GPU budget moves between the levels, as a pure function.

Each level has a texture of its own, sized for what the present view needs of
that level. Slots that no view needs are taken from a level only when another
one is short of them, so that textures are seldom rebuilt; a plan may use nearly
the whole budget at any camera.
"""

from __future__ import annotations

from collections.abc import Sequence

GROWTH = 1.3
"""A level that grows gets this much more than it needs now, if there is room."""


def distribute(
    need: Sequence[int],
    have: Sequence[int],
    slot_bytes: Sequence[int],
    grid_slots: Sequence[int],
    budget_bytes: int,
) -> list[int]:
    """Choose how many slots every level shall have.

    Parameters
    ----------
    need : sequence of int
        Slots the present plan uses, a level.
    have : sequence of int
        Slots there are now.
    slot_bytes : sequence of int
        Bytes of a slot.
    grid_slots : sequence of int
        Most slots a level could ever use (all its chunks, or the device's limit).
    budget_bytes : int
        For all levels together; the bytes of `need` fit into it.

    Returns
    -------
    list of int
        At least `need` at every level; equal to `have` when nothing is short.
    """
    total = sum(h * b for h, b in zip(have, slot_bytes, strict=True))
    if total <= budget_bytes and all(n <= h for n, h in zip(need, have, strict=True)):
        return list(have)
    wish = [
        min(max(h, int(n * GROWTH) + 1 if n > h else h), max(g, n))
        for n, h, g in zip(need, have, grid_slots, strict=True)
    ]

    def excess(slots: Sequence[int]) -> int:
        total = sum(s * b for s, b in zip(slots, slot_bytes, strict=True))
        return total - budget_bytes

    # First the room for growth goes, then slots that nobody needs now.
    for levels in (
        [i for i, (n, h) in enumerate(zip(need, have, strict=True)) if n > h],
        sorted(range(len(need)), key=lambda i: (need[i] - wish[i]) * slot_bytes[i]),
    ):
        for i in levels:
            over = excess(wish)
            if over <= 0:
                return wish
            wish[i] -= min(wish[i] - need[i], -(-over // slot_bytes[i]))
    return wish
