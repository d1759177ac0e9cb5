"""The widgets of napari's plugin menu.

napari makes them with the viewer as ``napari_viewer``. The parameter has no
annotation: a quoted one keeps napari from handing the viewer over.
"""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from typing import Any

from qtpy.QtCore import QTimer

from brickfield.errors import BrickfieldError
from brickfield.model.secrets import hide_secrets
from brickfield.plugin.docking.camera_link import CameraLink
from brickfield.plugin.docking.chooser import OtherImages
from brickfield.plugin.docking.links import offer_links
from brickfield.plugin.docking.make_fast import MakeFast
from brickfield.plugin.docking.settling import Settling, SharedHeight
from brickfield.plugin.layers.make import store_behind
from brickfield.plugin.layers.registry import add_dock, plain, scene_of
from brickfield.plugin.names import PLUGIN
from brickfield.plugin.settings import (
    PreferredBudgets,
    Settings,
    keep_framing,
    open_panels,
    settings,
    settings_events,
)
from brickfield.plugin.slicing.lazy import retry_failed
from brickfield.plugin.warm import load_later
from brickfield.qt import ViewDock
from brickfield.viewer import begin_loading
from brickfield.viewer.live import ViewReport

logger = logging.getLogger(__name__)
LOADING_MS = 20_000
"""After so long an empty dock counts as one that loads nothing."""


class VolumeDock(ViewDock):
    """The volume view of a napari viewer.

    Parameters
    ----------
    napari_viewer : napari.Viewer
    """

    def __init__(self, napari_viewer, *, layout: str = "3D") -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
        viewer: Any = plain(napari_viewer)
        chosen = settings()
        super().__init__(
            scene_of(viewer),
            layout=layout,
            gpu_budget=chosen.gpu_budget_bytes,
            memory=open_panels,
            budgets=PreferredBudgets(),
        )
        for view in self.views:
            view.quality = chosen.quality_px
        self._viewer = weakref.ref(viewer)
        self._join_views()
        self.views_changed.connect(self._join_views)
        self._link: CameraLink | None = None
        self._link_toggle = self.toolbar.add_toggle(
            "link",
            "Turn napari's 3D view along",
            "Keep the volume view and napari's own 3D canvas on the same camera",
            self._set_link,
        )
        self.images = OtherImages(self, viewer)
        self.make_fast = MakeFast(self, viewer)
        self.views_changed.connect(self._relink)
        settings_events.changed.connect(self._follow_settings)
        self.status.retried.connect(self._retry_slices)
        offer_links(viewer, self)
        self._settling = Settling(self, viewer)
        self.main_view.reported.connect(self._on_report)
        self._end_loading = self._begin_loading()
        add_dock(viewer, self)
        self.files_dropped.connect(self.open_dropped)
        SharedHeight(self)

    def open_dropped(self, places: Sequence[str]) -> None:
        """Open what was dropped on the dock, as if it had been dropped on the window.

        Parameters
        ----------
        places : sequence of str
            Paths and addresses.
        """
        viewer = self._viewer()
        for place in places if viewer is not None else ():
            _open(viewer, place)

    def _begin_loading(self) -> Callable[[], None]:
        """Leave the window its turns until the first picture; not for long without."""
        end = begin_loading()
        self.call_when_closed(end)
        QTimer.singleShot(LOADING_MS, end)
        return end

    def _on_report(self, report: ViewReport) -> None:
        if report.error:
            self._end_loading()
            self._begin_reading()
        elif report.image is not None:
            self._end_loading()
            self.main_view.reported.disconnect(self._on_report, missing_ok=True)
            load_later()

    def _begin_reading(self) -> None:
        """Keep napari's canvas no longer from reading: this view is not going to."""
        viewer = self._viewer()
        for layer in () if viewer is None else viewer.layers:
            store = store_behind(layer)
            if store is not None:
                store.manager.gathering.end()

    def _join_views(self) -> None:
        """Frame new volume views as was chosen last, and keep what is chosen next.

        Pictures of all views carry the scene of the viewer.
        """
        for view in self.views:
            view.pictures.scene_text = partial(_scene_text, self._viewer)
            if view.slice is None:
                view.framing.frames_content = settings().frame_content
                view.framing.framing_chosen.connect(keep_framing, unique=True)

    def _follow_settings(self, chosen: Settings) -> None:
        if self.is_closed:
            return
        self.gpu_budget = chosen.gpu_budget_bytes
        for view in self.views:
            view.quality = chosen.quality_px

    def _retry_slices(self) -> None:
        """Read what napari's own canvas lacks again, too."""
        viewer = self._viewer()
        for layer in () if viewer is None else viewer.layers:
            retry_failed(layer)

    # -- napari's camera ---------------------------------------------------------

    @property
    def link_camera(self) -> bool:
        """Whether the volume view and napari's 3D canvas share one camera."""
        return self._link is not None

    @link_camera.setter
    def link_camera(self, value: bool) -> None:
        self._link_toggle.setChecked(value)

    def _set_link(self, is_on: bool) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None
        viewer, frame = self._viewer(), self.frames.get("3D")
        if is_on and viewer is not None and frame is not None:
            self._link = link = CameraLink(viewer, frame.view)
            self.call_when_closed(link.close)

    def _relink(self) -> None:
        if self._link is not None:
            self._set_link(True)


def _open(viewer: Any, place: str) -> None:
    """Open a path or an address; what is not ours, as napari does."""
    from napari.utils.notifications import show_error

    try:
        viewer.open(place, plugin=PLUGIN)
    except BrickfieldError as error:
        show_error(hide_secrets(str(error)))
    except ValueError:
        # It is nothing of ours. What napari finds no reader for, it tells itself.
        viewer.open(place)


def _scene_text(viewer: weakref.ref[Any]) -> str:
    """Return the scene document of a viewer; "" where it has none that can be told."""
    there = viewer()
    if there is None:
        return ""
    try:
        # By name: what takes scenes stands above the docks.
        scenes = import_module("brickfield.plugin.scenes.scene_document")
        return str(scenes.get_state(there).to_json())
    except Exception:
        # A picture without its scene is better than none.
        logger.exception("the scene of a picture could not be told")
        return ""


class OrthogonalDock(VolumeDock):
    """The volume and three slices of a napari viewer, side by side."""

    def __init__(self, napari_viewer) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
        super().__init__(napari_viewer, layout="2x2")
