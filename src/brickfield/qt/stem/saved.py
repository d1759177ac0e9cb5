"""An open scan in a saved session: its file, cursor, detector and region."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from brickfield.qt.stem.session import PATTERN_SOURCES, ScanSession
from brickfield.stem4d import Detector

_PLAIN = (bool, int, float, str, list, tuple)


def state_of(session: ScanSession) -> dict[str, Any]:
    """Return the open scan, cursor, detector and region as JSON has them.

    Parameters
    ----------
    session : ScanSession

    Returns
    -------
    dict
        Empty where no scan is open.
    """
    if session.viewer is None:
        return {}
    asked = {k: v for k, v in session.asked.items() if isinstance(v, _PLAIN)}
    detector, region = session.detector, session.region
    return {
        "path": str(session.viewer.path.absolute()),
        "options": {
            k: list(v) if isinstance(v, tuple) else v for k, v in asked.items()
        },
        "cursor": list(session.cursor),
        "detector": None if detector is None else detector.to_plain(),
        "region": None if region is None else list(region),
        "pattern": session.pattern_source,
        "logarithm": session.is_log,
    }


def put_hands(session: ScanSession, saved: Mapping[str, Any]) -> Detector | None:
    """Take cursor, region and pattern as they were saved, within the open scan.

    Parameters
    ----------
    session : ScanSession
    saved : mapping
        As :func:`state_of` gives it.

    Returns
    -------
    Detector or None
        The one that was saved; its image is not asked for yet.
    """
    if session.viewer is None:
        return None
    ny, nx = session.viewer.shape[:2]
    y, x = saved.get("cursor") or session.cursor
    session.cursor = (min(max(int(y), 0), ny - 1), min(max(int(x), 0), nx - 1))
    if saved.get("region"):
        y0, y1, x0, x1 = (int(v) for v in saved["region"])
        session.region = (y0, min(y1, ny), x0, min(x1, nx))
    if saved.get("pattern") in PATTERN_SOURCES:
        session.pattern_source = saved["pattern"]
    session.is_log = bool(saved.get("logarithm"))
    found = saved.get("detector")
    return Detector.of_plain(found) if found else None
