"""Which views stand where."""

from __future__ import annotations

from brickfield.errors import OptionError

LAYOUTS: dict[str, dict[str, tuple[int, int]]] = {
    "3D": {"3D": (0, 0)},
    "xy": {"xy": (0, 0)},
    "xz": {"xz": (0, 0)},
    "yz": {"yz": (0, 0)},
    "plane": {"plane": (0, 0)},
    "3D+plane": {"3D": (0, 0), "plane": (0, 1)},
    # xy and xz share x from left to right, xz and yz share z from top to bottom.
    "2x2": {"xy": (0, 0), "yz": (1, 1), "xz": (1, 0), "3D": (0, 1)},
}
"""Kind of view to row and column, for each layout."""
SHARES = {"3D": 0.55, "xy": 0.15, "xz": 0.15, "yz": 0.15, "plane": 0.3}
"""How views side by side divide the GPU budget."""

OVERLAYS: dict[str, tuple[str, ...]] = {
    "3D": ("scale_bar", "axes"),
    "xy": ("scale_bar", "marker"),
    "xz": ("scale_bar", "marker"),
    "yz": ("scale_bar", "marker"),
    "plane": ("scale_bar", "axes"),
}
"""What decorates a new view of each kind at first."""


def cells_of(layout: str) -> dict[str, tuple[int, int]]:
    """Return the place of each view of a layout.

    Raises
    ------
    OptionError
        For an unknown layout.
    """
    if layout not in LAYOUTS:
        msg = f"expected a layout out of {', '.join(LAYOUTS)}; found {layout!r}"
        raise OptionError(msg)
    return LAYOUTS[layout]


def budget_shares(kinds: list[str], total: int) -> dict[str, int]:
    """Divide a GPU budget, bytes, between the views that are shown."""
    whole = sum(SHARES[k] for k in kinds)
    return {k: int(total * SHARES[k] / whole) for k in kinds}
