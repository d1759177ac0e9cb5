"""The registry of units that napari's layers share."""

import subprocess
import sys

READ_ON = """
import threading
from pint.registry import UnitRegistry
from qtpy.QtCore import QCoreApplication
import numpy as np
app = QCoreApplication([])
read = []
load = UnitRegistry.load_definitions

def note(*args, **kwargs):
    read.append(threading.current_thread() is threading.main_thread())
    return load(*args, **kwargs)

UnitRegistry.load_definitions = note
from brickfield.plugin.layers.make import open_layers
(layer,) = open_layers(np.zeros((4, 8, 8), np.uint8))
layer.units = ("um",) * 3
print(read)
"""


def test_the_first_layer_has_units_read_once_and_beside_the_window():
    run = subprocess.run(
        [sys.executable, "-c", READ_ON], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[False]"


def test_a_registry_that_is_in_use_stays():
    import pint

    from brickfield.plugin.units import load_units

    length = pint.get_application_registry().Unit("um")
    load_units()
    assert length.is_compatible_with(pint.get_application_registry().Unit("nm"))
