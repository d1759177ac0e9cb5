"""The public names work in whatever order things are imported."""

import subprocess
import sys

import pytest

CALL = "assert callable(bf.render); bf.render.__call__"


@pytest.mark.parametrize(
    "code",
    [
        f"import brickfield as bf; {CALL}",
        f"import brickfield.rendering.mending as p; import brickfield as bf; {CALL}",
        f"import brickfield as bf; bf.render; import brickfield.rendering.mending as p; {CALL}",
        f"import brickfield as bf; from brickfield.rendering import mending; {CALL}",
    ],
)
def test_render_is_a_function_in_whatever_order_packages_are_imported(code):
    subprocess.run([sys.executable, "-c", code], check=True)
