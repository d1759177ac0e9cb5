"""What the first picture of a process is compared with."""

import subprocess
import sys


def test_nothing_that_is_timed_is_imported_before_the_clock_runs():
    code = (
        "import benchmarks.cold_process, sys;"
        "print(*{m.split('.')[0] for m in sys.modules})"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    heavy = {"brickfield", "numpy", "napari", "qtpy", "pygfx", "wgpu", "tensorstore"}
    assert "benchmarks" in run.stdout.split()
    assert not set(run.stdout.split()) & heavy
