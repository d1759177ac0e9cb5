"""The row Light shows what matters in a mode and writes to all views."""

from __future__ import annotations

import pytest

from brickfield.model.appearance import Lighting
from brickfield.qt.deliver import Deliverer
from brickfield.qt.panels.appearance import AppearancePanel


@pytest.fixture
def ball(scene, blob):
    return scene.add(blob, "ball")


@pytest.fixture
def panel(qtbot, host, ball):
    panel = AppearancePanel(host, Deliverer())
    qtbot.addWidget(panel)
    panel.show()
    panel.set_open(True)
    yield panel
    panel.connections.release()
    panel.histograms.closer()()


def shown(panel):
    row = panel.light
    return [n for n in ("shading", "raking", "depth") if getattr(row, n).isVisible()]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("mip", ["depth"]),
        ("iso", ["raking", "depth"]),
        ("translucent", ["shading"]),
        ("average", []),
    ],
)
def test_only_what_matters_in_the_mode_is_offered(mode, expected, panel, ball):
    ball.mode = mode
    panel.follow()
    assert shown(panel) == expected


def test_a_choice_goes_to_all_views_of_the_dock(panel, host, ball):
    ball.mode = "iso"
    panel.follow()
    panel.light.raking.click()
    panel.light.depth.click()
    chosen = Lighting("raking", depth_colour=True)
    assert [view.lighting for view in host.views] == [chosen] * len(host.views)


def test_what_a_script_chooses_is_shown(panel, host, ball):
    ball.mode = "translucent"
    host.main_view.shading = True
    assert panel.light.shading.isChecked()
    assert shown(panel) == ["shading", "raking"]
