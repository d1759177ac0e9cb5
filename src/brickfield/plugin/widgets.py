"""What napari calls for the widgets of the plugin menu.

Invariant: this module is light. The docks themselves are loaded on a thread when the
first one is made, while napari's window goes on.

napari looks for the name ``napari_viewer`` in a class's ``__init__``, so these are
classes, though what they make is another's.
"""

from __future__ import annotations

import sys
from typing import Any

from brickfield.qt import run_beside


def load_docks() -> None:
    """Load what the docks need, if it is not, while the window goes on."""
    if "brickfield.plugin.docking.docks" not in sys.modules:
        run_beside(_load)


def _load() -> None:
    """Load what docks are made of, and what napari loads when they first ask it.

    napari reads its preferences, and its camera loads scipy (half a second) when it is
    first asked which way it looks; the colormaps' catalogue is searched once.
    """
    import scipy.spatial.transform  # noqa: F401 - so that napari need not

    import brickfield.plugin.docking.docks  # noqa: F401 - that is the point
    from brickfield.plugin.settings import settings
    from brickfield.viewer import lut

    settings()
    lut("viridis")


class VolumeView:
    """Makes a :class:`~brickfield.plugin.docking.docks.VolumeDock`."""

    def __new__(cls, napari_viewer: Any) -> Any:
        """Return the dock."""
        load_docks()
        from brickfield.plugin.docking.docks import VolumeDock

        return VolumeDock(napari_viewer)

    def __init__(self, napari_viewer) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
        pass


class OrthogonalViews:
    """Makes an :class:`~brickfield.plugin.docking.docks.OrthogonalDock`."""

    def __new__(cls, napari_viewer: Any) -> Any:
        """Return the dock."""
        load_docks()
        from brickfield.plugin.docking.docks import OrthogonalDock

        return OrthogonalDock(napari_viewer)

    def __init__(self, napari_viewer) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
        pass
