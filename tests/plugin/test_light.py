"""Opening the dock waits for neither pygfx nor wgpu: the render thread loads them."""

import subprocess
import sys


def test_what_the_window_s_thread_imports_for_a_dock_has_no_graphics():
    code = (
        "import brickfield.plugin.docking.docks, brickfield.plugin.views, sys;"
        "print(*sorted({m.split('.')[0] for m in sys.modules}))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    loaded = set(run.stdout.split())
    assert not loaded & {"pygfx", "wgpu", "rendercanvas"}
    assert {"brickfield", "qtpy"} <= loaded
