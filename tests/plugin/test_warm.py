"""What is compiled before there is a dock, and in which order."""

from __future__ import annotations

import subprocess
import sys

import pytest

OVERLAYS = ["scale_bar", "axes"]
ORDER = """
import sys, threading
import numpy as np
from qtpy.QtWidgets import QApplication
app = QApplication([])
from brickfield.plugin import warm
from brickfield.plugin.layers.make import open_layers
from brickfield.rendering import render_thread
from brickfield.viewer import live

layers = open_layers(np.zeros((8, 8, 8), "u1"))
done, first = [], threading.Event()

def prepare_view(layers=(), overlays=()):
    done.append(f"{len(layers)}" if layers or not overlays else overlays[0])
    # What the window does while the first program is compiled.
    first.wait(60)

live.prepare_view = prepare_view
warm.warm_up()
while not done:
    pass
if "layers" in sys.argv:
    warm.compile_ahead(layers)
first.set()
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
