"""Names of levels and selections that a user understands.

"Level 3" says nothing to a user who has not seen the file's pyramid: how many
voxels of the data make one of the level does. The number stays where a script or a
control needs it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from brickfield.model import Pyramid, Selection

_AXES = {"t": "time", "c": "channel"}


@dataclass(frozen=True, slots=True)
class LevelNames:
    """What the levels and selections of some layers are called.

    Attributes
    ----------
    factors : tuple of float
        How much coarser than the data each level is, finest first.
    axes : tuple of str
        Names of the axes that are not of space, in their stored order.
    """

    factors: tuple[float, ...] = ()
    axes: tuple[str, ...] = ()

    @classmethod
    def of(cls, pyramids: Iterable[Pyramid]) -> LevelNames:
        """Return the names for several pyramids.

        A level is as coarse as in the pyramid where it is coarsest, along the axis
        where it is most; axes are those of the first pyramid.
        """
        found = list(pyramids)
        if not found:
            return cls()
        factors = tuple(
            max(float(p.downscale[i].max()) for p in found if i < p.n_levels)
            for i in range(max(p.n_levels for p in found))
        )
        first = found[0]
        return cls(factors, tuple(first.axes[a].name for a in first.other_axes))

    def share(self, level: int) -> str:
        """Say how fine a level is: full, 1/8; level 3 where that is not known."""
        if 0 <= level < len(self.factors):
            return share(self.factors[level])
        return f"level {level}"

    def resolution(self, level: int) -> str:
        """Say how fine a level is: full resolution, 1/8 resolution."""
        known = 0 <= level < len(self.factors)
        return f"{self.share(level)} resolution" if known else self.share(level)

    def numbered(self, level: int) -> str:
        """Say the same with the number of the level: 1/8 resolution (level 3)."""
        known = 0 <= level < len(self.factors)
        text = self.resolution(level)
        return f"{text} (level {level})" if known else text

    def selection(self, selection: Selection) -> str:
        """Say which part of the other axes is meant: time 5, channel 1."""
        if len(selection) != len(self.axes):
            return "index " + ", ".join(map(str, selection)) if selection else ""
        names = [_AXES.get(name, name) for name in self.axes]
        return ", ".join(
            f"{name} {i}" for name, i in zip(names, selection, strict=True)
        )


UNNAMED = LevelNames()
"""Levels are told by their numbers."""


def share(factor: float) -> str:
    """Say how much of the data's resolution is left: full, 1/2, 1/64."""
    if factor < 1.25:
        return "full"
    return f"1/{factor:.2g}" if factor < 10 else f"1/{factor:.0f}"
