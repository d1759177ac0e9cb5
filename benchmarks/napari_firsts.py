"""What a session does first besides opening images; acts of ``napari_lateness``.

Each takes a ``Session``, prepares, and returns what is measured: with this project, or
what comes closest to it in napari alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

DOCKS = ("4D-STEM", "Sessions", "Transforms", "Live acquisition", "Benchmark")
"""Widgets of the plugin menu, besides the volume view."""


def menu(title: str) -> Callable[[Any], Callable[[], object]]:
    """A dock of the plugin menu, as the first thing of a session."""

    def act(session: Any) -> Callable[[], object]:
        from qtpy.QtWidgets import QWidget

        window = session.viewer.window
        if session.is_ours:
            return lambda: window.add_plugin_dock_widget("napari-brickfield", title)
        return lambda: window.add_dock_widget(QWidget(), name="empty")

    return act


def whole_session(session: Any) -> Callable[[], object]:
    """Everything as a session, with napari's File > Save; napari writes a TIFF."""
    session.show()
    layers, is_ours = session.viewer.layers, session.is_ours
    path = session.folder / ("s.brickfield.ome.zarr" if is_ours else "saved.tif")
    plugin = "napari-brickfield" if is_ours else "napari"
    return lambda: layers.save(str(path), plugin=plugin)


def picture(session: Any) -> Callable[[], object]:
    """*Save picture* of the dock; napari's own screenshot to a file."""
    session.show()
    path = session.folder / "picture.png"
    if not session.is_ours:
        return lambda: session.viewer.screenshot(str(path), flash=False)
    from brickfield.plugin.layers.registry import docks_of
    from brickfield.qt.controls.snapshot import Snapshots

    (snapshots,) = docks_of(session.viewer)[0].findChildren(Snapshots)
    return lambda: snapshots.save_to(path)


def imaris(session: Any) -> Callable[[], object]:
    """The window *Export to Imaris…*; an empty one of napari's."""
    session.show()
    if session.is_ours:
        from brickfield.plugin.commands import export_to_imaris

        return lambda: export_to_imaris(session.viewer)
    from qtpy.QtWidgets import QDialog

    window = QDialog(session.viewer.window._qt_window)
    return window.show
