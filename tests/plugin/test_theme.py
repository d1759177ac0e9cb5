"""Controls of the dock follow napari's theme."""

import numpy as np
from qtpy.QtWidgets import QPushButton

import brickfield as bf
from brickfield.plugin.layers.registry import docks_of


def icon_lightness(button):
    image = button.icon().pixmap(20, 20).toImage()
    drawn = [image.pixelColor(x, y) for x in range(20) for y in range(20)]
    seen = [c.lightnessF() for c in drawn if c.alpha() > 200]
    return sum(seen) / len(seen)


def test_icons_and_headers_are_legible_in_both_themes(make_napari_viewer, qtbot):
    viewer = make_napari_viewer(show=True, strict_qt="raise")
    bf.view_of(viewer)
    (dock,) = docks_of(viewer)
    headers = dock.panels.findChildren(QPushButton)
    assert headers
    more = dock.toolbar.more
    for theme, is_light in (("light", False), ("dark", True), ("light", False)):
        viewer.theme = theme
        qtbot.waitUntil(lambda light=is_light: (icon_lightness(more) > 0.5) == light)
        for header in headers:
            header.ensurePolished()
            color = header.palette().color(header.foregroundRole())
            assert (color.lightnessF() > 0.5) == is_light


def test_the_gaps_between_pictures_have_the_colour_of_the_theme(
    make_napari_viewer, qtbot
):
    """The pictures stay dark in a light window, what is round them does not."""
    viewer = make_napari_viewer(show=True, strict_qt="raise")
    bf.open_views(viewer, layout="2x2")
    (dock,) = docks_of(viewer)
    upper, lower = dock.frames["xy"], dock.frames["xz"]
    qtbot.waitUntil(lambda: lower.y() > upper.geometry().bottom() + 1)

    def lightness_of_gap():
        whole = upper.parentWidget().grab().toImage()
        at = upper.parentWidget().devicePixelRatioF()
        y = (upper.geometry().bottom() + 1.5) * at
        return whole.pixelColor(round(20 * at), int(y)).lightnessF()

    for theme, is_light in (("light", True), ("dark", False), ("light", True)):
        viewer.theme = theme
        qtbot.waitUntil(lambda light=is_light: (lightness_of_gap() > 0.5) == light)


def test_eyes_of_layers_are_legible_in_both_themes(make_napari_viewer, qtbot):
    viewer = make_napari_viewer(show=True, strict_qt="raise")
    bf.open_volume(np.ones((4, 8, 8), np.uint8), viewer)
    (dock,) = docks_of(viewer)
    dock.panels.open(dock.panels.appearance)
    (row,) = dock.panels.appearance.rows.rows
    for theme, is_light in (("light", False), ("dark", True), ("light", False)):
        viewer.theme = theme
        qtbot.waitUntil(lambda e=row.eye, w=is_light: (icon_lightness(e) > 0.5) == w)
