"""The oblique plane in numbers."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest


@pytest.fixture
def panel(dock, scene, hand):
    scene.move_cross_hair((10.0, 20.0, 24.0))
    dock.set_layout("plane")
    hand.settle(dock)
    panel = dock.panels.plane
    dock.panels.open(panel, is_open=True)
    return panel


def typed(box, text):
    box.selectAll()
    QTest.keyClicks(box, text)
    QTest.keyClick(box, Qt.Key.Key_Return)


def test_it_is_offered_only_where_there_is_an_oblique_slice(panel, dock):
    section = dock.panels.section_of(panel)
    assert section.isVisible()
    dock.set_layout("3D")
    assert not section.isVisible()


def test_the_fields_show_and_set_where_the_plane_lies(panel, dock, scene):
    view = dock.frames["plane"].view
    assert [box.value for box in panel.position] == [10.0, 20.0, 24.0]
    np.testing.assert_allclose([box.value for box in panel.normal], view.normal)
    typed(panel.position[0], "12")
    assert scene.cross_hair == (12.0, 20.0, 24.0)
    view.normal = (1.0, 0.0, 0.0)
    typed(panel.normal[1], "1")
    np.testing.assert_allclose(view.normal, (0.5**0.5, 0.5**0.5, 0.0))
    assert view.undo()
    assert view.normal == (1.0, 0.0, 0.0)
    assert panel.normal[0].value == 1.0


def test_a_normal_without_length_is_not_taken(panel, dock):
    view = dock.frames["plane"].view
    view.normal = (1.0, 0.0, 0.0)
    typed(panel.normal[0], "0")
    assert view.normal == (1.0, 0.0, 0.0)
    assert panel.normal[0].value == 1.0
