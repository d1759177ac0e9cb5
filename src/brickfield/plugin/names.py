"""The name that ``napari.yaml`` and code share."""

from __future__ import annotations

PLUGIN = "napari-brickfield"
