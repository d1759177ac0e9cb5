"""What stands round the layers of a viewer: overlays, napari's canvas, the 4D-STEM dock.

It is taken with a session and put back after its layers. None of it is worth losing a
session for: what cannot be put back stays as it is. On the viewer's thread.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from brickfield.plugin.layers.registry import docks_of
from brickfield.plugin.napari_names import camera_of, has_window, overlays_of
from brickfield.rendering.overlays import OverlayState

OVERLAYS, NAPARI, STEM = "overlays", "napari", "stem"
"""Fields of a session's document."""
_STEM_DOCK = "brickfield.plugin.docking.stem_dock"
_CAMERA = ("center", "zoom", "angles", "perspective")
_SHOWN_FIELDS = ("visible", "text", "colored", "ticks", "font_size", "color")

logger = logging.getLogger(__name__)
Json = dict[str, Any]


def around(viewer: Any) -> Json:
    """Take what stands round the layers, as plain values; what is usual is left out.

    Parameters
    ----------
    viewer : napari.Viewer
    """
    taken = {
        OVERLAYS: _taken(lambda: _overlays(viewer)),
        NAPARI: _taken(lambda: _canvas(viewer)),
        STEM: _taken(lambda: _scans(viewer)),
    }
    return {name: value for name, value in taken.items() if value}


def _taken(take: Callable[[], Any]) -> Any:
    try:
        return take()
    except Exception:
        logger.exception("part of a window could not be taken into a session")
        return None


def _overlays(viewer: Any) -> Json:
    """Return, by view, the options of overlays that are not the usual ones."""
    usual = OverlayState()
    docks = docks_of(viewer)
    found: Json = {}
    for view in docks[0].views if docks else []:
        of_view: Json = {}
        for name in (f.name for f in fields(usual)):
            own, plain = asdict(view.overlay_options(name)), asdict(usual.options(name))
            changed = {k: _plain(v) for k, v in own.items() if v != plain[k]}
            if changed:
                of_view[name] = changed
        if of_view:
            found[view.kind] = of_view
    return found


def _canvas(viewer: Any) -> Json:
    found: Json = {
        "ndisplay": int(viewer.dims.ndisplay),
        "camera": {n: _plain(getattr(camera_of(viewer), n, None)) for n in _CAMERA},
        "selected": sorted(str(layer.name) for layer in viewer.layers.selection),
    }
    for name, overlay in overlays_of(viewer).items():
        if bool(getattr(overlay, "visible", False)):
            values = {f: _plain(getattr(overlay, f, None)) for f in _SHOWN_FIELDS}
            found[name] = {f: v for f, v in values.items() if v is not None}
    return found


def _plain(value: Any) -> Any:
    """Return a value as JSON has it; None for what it cannot have."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    return value if isinstance(value, bool | int | float | str) else None


def _scans(viewer: Any) -> list[Json]:
    module = sys.modules.get(_STEM_DOCK)
    docks = () if module is None else module.stem_docks_of(viewer)
    return [state for dock in docks if (state := dock.scan_state())]


# -- putting back ------------------------------------------------------------------


def put_around(viewer: Any, saved: Mapping[str, Any]) -> None:
    """Put back what stood round the layers.

    Parameters
    ----------
    viewer : napari.Viewer
    saved : mapping
        Fields of a session's document that the program's schema does not name.
    """
    for name, put in (
        (STEM, _put_scans),
        (OVERLAYS, _put_overlays),
        (NAPARI, _put_canvas),
    ):
        try:
            if saved.get(name):
                put(viewer, saved[name])
        except Exception:
            logger.exception("part of a session could not be put back: %s", name)


def _put_overlays(viewer: Any, saved: Mapping[str, Any]) -> None:
    docks = docks_of(viewer)
    for view in docks[0].views if docks else []:
        for name, options in saved.get(view.kind, {}).items():
            for option, value in options.items():
                given = tuple(value) if isinstance(value, list) else value
                with suppress(Exception):  # an option of a later program
                    view.set_overlay_options(name, **{option: given})


def _put_canvas(viewer: Any, saved: Mapping[str, Any]) -> None:
    with suppress(Exception):
        viewer.dims.ndisplay = saved.get("ndisplay", viewer.dims.ndisplay)
    for name, value in saved.get("camera", {}).items():
        if name in _CAMERA and value is not None:
            with suppress(Exception):
                given = tuple(value) if isinstance(value, list) else value
                setattr(camera_of(viewer), name, given)
    for name, overlay in overlays_of(viewer).items():
        for option, value in saved.get(name, {}).items():
            with suppress(Exception):
                setattr(overlay, option, value)
    wanted = [n for n in viewer.layers if n.name in saved.get("selected", ())]
    if wanted:
        viewer.layers.selection = set(wanted)


def _put_scans(viewer: Any, saved: list[Any]) -> None:
    """Open scans again in the dock, in place of the pictures of them."""
    there = [s for s in saved if Path(str(s.get("path", ""))).exists()]
    if not there or not has_window(viewer):
        return
    from brickfield.plugin.docking.load import load_docks

    load_docks()
    from brickfield.plugin.docking.stem_dock import open_stem_dock

    open_stem_dock(viewer).put_scan_state(there[0])
