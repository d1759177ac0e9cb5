"""The rows about turned volumes are made of what they say."""

import numpy as np
import pytest
from benchmarks import transforms

from brickfield.transforms import RotationTransformWorker


def test_the_cache_keeps_its_limits():
    (row,) = transforms._limits()
    assert row.reached


def test_without_numba_means_without_it():
    pytest.importorskip("scipy")
    data = transforms.volume(20)
    worker = RotationTransformWorker(volume=data, rotation_deg=transforms.DEGREES)
    before = transforms.trilinear.has_numba()
    found = transforms._without_numba(worker)
    assert transforms.trilinear.has_numba() == before
    assert np.abs(found - worker.run()).max() < 1e-6 * np.ptp(data)
