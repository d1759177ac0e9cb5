"""Windows: pictures, controls and docks, for any owner of the display state.

Nothing here knows napari; layers are reached through :mod:`brickfield.viewer.live.ports`.
No widget overrides ``paintEvent``: PySide6 6.12 on Python 3.11 loses references
to None in every such call, until the interpreter ends.
"""
