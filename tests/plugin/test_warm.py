"""What is compiled before there is a dock, and in which order."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest
from napari.layers import Layer

from brickfield.plugin.layers.appearance import appearance_of, first_appearance
from brickfield.plugin.layers.describe import layer_data_of
from brickfield.store import ChunkedImageStore
from brickfield.testing import MemorySource
from brickfield.testing.zarr_stores import ramp

OVERLAYS = ["scale_bar", "axes"]
ORDER = """
import sys, threading
import numpy as np
from qtpy.QtWidgets import QApplication
app = QApplication([])
from brickfield.plugin import warm
from brickfield.plugin.layers.make import open_layer_data
from brickfield.rendering import render_thread
from brickfield.viewer import live

layers = open_layer_data(np.zeros((8, 8, 8), "u1"))
done, first = [], threading.Event()

def prepare_view(layers=(), overlays=()):
    done.append(f"{len(layers)}" if layers or not overlays else overlays[0])
    # What the window does while the first program is compiled.
    first.wait(60)

live.prepare_view = prepare_view
warm.OVERLAYS_AFTER_S = 0.01
warm.warm_up()
while not done:
    pass
if "layers" in sys.argv:
    warm.compile_ahead(layers)
first.set()
render_thread().submit(lambda: None).result()
for thread in threading.enumerate():
    if isinstance(thread, threading.Timer):
        thread.join()
while True:
    n = len(done)
    render_thread().submit(lambda: None).result()
    render_thread().submit(lambda: None).result()
    if len(done) == n:
        break
print(*done)
"""


@pytest.mark.gpu
@pytest.mark.parametrize(
    ("comes", "order"), [("nothing", ["0", *OVERLAYS]), ("layers", ["0", "1"])]
)
def test_layers_are_compiled_before_what_decorates_them(adapter, comes, order):
    """Overlays are compiled ahead only as long as there is nothing else to do."""
    run = subprocess.run(
        [sys.executable, "-c", ORDER, comes],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert run.stdout.split() == order


@pytest.mark.parametrize("axes", ["zyx", "czyx"])
@pytest.mark.parametrize("n_levels", [1, 2])
@pytest.mark.parametrize("is_labels", [False, True])
def test_what_is_compiled_ahead_is_what_the_layers_need(axes, n_levels, is_labels):
    """Else the first picture would compile its program once more."""
    before = (2,) * (len(axes) - 3)
    shapes = [(*before, 8, 8, 8), (*before, 4, 4, 4)][:n_levels]
    source = MemorySource(
        [ramp(s, "u2") for s in shapes], (*before, 8, 8, 8), axes=axes
    )
    source.info = replace(source.info, is_labels=is_labels)
    with ChunkedImageStore(source) as store:
        for levels, look, kind in layer_data_of(store):
            layer = Layer.create(levels, look, kind)
            needed = appearance_of(layer, store.info.world)
            ahead = first_appearance(look, is_labels=kind == "labels")
            colors = {"channels": needed.channels, "label_colors": needed.label_colors}
            assert len(ahead.channels) == len(needed.channels)
            assert replace(ahead, **colors) == needed
