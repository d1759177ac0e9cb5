"""Overlays of one view: view-local presentation, neither saved nor shared.

:class:`~brickfield.rendering.overlays.options.OverlayState` holds the options and
needs no GPU; :class:`~brickfield.rendering.overlays.overlay_set.OverlaySet` draws.
"""
