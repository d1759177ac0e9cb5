"""The dock that measures the machine and the selected layer."""

import numpy as np
import pytest

from brickfield.plugin.docking.benchmark_dock import BenchmarkDock, subject_of
from brickfield.plugin.widgets import Benchmark

pytestmark = pytest.mark.napari


def test_the_selected_layer_is_the_current_one(make_napari_viewer, qtbot):
    viewer = make_napari_viewer()
    dock = Benchmark(viewer)
    qtbot.addWidget(dock)
    assert isinstance(dock, BenchmarkDock)
    assert not dock.current.isEnabled()
    image = np.arange(6 * 20 * 20, dtype=np.uint16).reshape(6, 20, 20)
    viewer.add_image(image, name="cells")
    viewer.add_image(image[:, :9], name="wall")
    viewer.layers.selection = {viewer.layers[0]}
    dock.look()
    assert dock.current.text() == "Layer cells"
    for box in (*dock.sizes.values(), *dock.tests.values()):
        box.setChecked(False)
    dock.current.setChecked(True)
    for name in ("shift", "read"):
        dock.tests[name].setChecked(True)
    with qtbot.waitSignal(dock.finished, timeout=30_000):
        dock.start.click()
    assert [(r.test, r.size, r.error) for r in dock.rows] == [
        ("shift", (6, 20, 20), None),
        ("read", (6, 20, 20), None),
    ]


def test_of_several_layers_one_has_to_be_selected(make_napari_viewer):
    viewer = make_napari_viewer()
    assert subject_of(viewer) is None
    for name in "ab":
        viewer.add_image(np.zeros((4, 9, 9), np.uint8), name=name)
    viewer.layers.selection = set()
    assert subject_of(viewer) is None
    viewer.layers.selection = {viewer.layers["a"]}
    assert subject_of(viewer)[0] == "a"
