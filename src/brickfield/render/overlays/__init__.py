"""Overlays of one view: view-local presentation, neither saved nor shared.

:class:`~brickfield.render.overlays.options.OverlayState` holds the options and
needs no GPU; :class:`~brickfield.render.overlays.overlay_set.OverlaySet` draws.
"""
