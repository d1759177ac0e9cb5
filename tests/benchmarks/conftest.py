import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# The benchmarks lie beside the package and are not installed with it.
sys.path.insert(0, str(ROOT))


def pytest_collection_modifyitems(items):
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.gpu)
