"""How a GPU budget moves between the levels, as a pure function.

Each level has a texture of its own, sized for what the present view needs of
that level. Slots that no view needs are taken from a level only when another
one is short of them, so that textures are seldom rebuilt; a plan may use nearly
the whole budget at any camera.
"""

from __future__ import annotations

from collections.abc import Sequence

GROWTH = 0.3
"""A level that grows gets at most this share more than it needs now."""


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

    def cost(slots: Sequence[int]) -> int:
        return sum(s * b for s, b in zip(slots, slot_bytes, strict=True))

    is_short = [n > h for n, h in zip(need, have, strict=True)]
    if cost(have) <= budget_bytes and not any(is_short):
        return list(have)
    # Room to grow is shared out in proportion, so that a view that moves on a
    # little does not at once rebuild textures again.
    spare = min(GROWTH, budget_bytes / max(1, cost(need)) - 1)
    comfort = [
        min(n + int(n * spare), max(n, g))
        for n, g in zip(need, grid_slots, strict=True)
    ]
    wish = [
        max(h, c) if short else h
        for h, c, short in zip(have, comfort, is_short, strict=True)
    ]
    for floor in (comfort, need):
        _shrink(wish, floor, slot_bytes, cost(wish) - budget_bytes)
    return wish


def _shrink(
    wish: list[int], floor: Sequence[int], slot_bytes: Sequence[int], over: int
) -> None:
    """Take `over` bytes of slots above `floor`, from where most are idle first."""
    idle = [max(0, w - f) * b for w, f, b in zip(wish, floor, slot_bytes, strict=True)]
    for i in sorted(range(len(wish)), key=lambda i: -idle[i]):
        if over <= 0:
            return
        slots = min(idle[i] // slot_bytes[i], -(-over // slot_bytes[i]))
        wish[i] -= slots
        over -= slots * slot_bytes[i]
