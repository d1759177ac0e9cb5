"""What the tests of this folder share."""

from __future__ import annotations

import numpy as np
import pytest

from brickfield.transforms.operations import trilinear
from brickfield.transforms.operations.operation import Volume

WAYS = ("loops", "scipy", "numpy")


@pytest.fixture(scope="session")
def make_all():
    """Make the whole output of an operation on an array in memory."""

    def make(operation, data, region=None):
        boxes = []

        def read(box):
            boxes.append(box)
            assert all(
                0 <= s.start < s.stop <= n for s, n in zip(box, data.shape, strict=True)
            )
            return data[box]

        volume = Volume(data.shape, data.dtype, read)
        whole = tuple(slice(0, n) for n in operation.output_shape(data.shape))
        made = operation.make(volume, region or whole)
        make.boxes = boxes
        return made

    return make


@pytest.fixture(params=WAYS)
def way(request, monkeypatch):
    """Each way of sampling: the loops that numba compiles (here run as they are,
    unless it is installed), scipy, and numpy alone."""
    monkeypatch.setattr(trilinear, "has_numba", lambda: request.param == "loops")
    monkeypatch.setattr(trilinear, "has_scipy", lambda: request.param != "numpy")
    return request.param


@pytest.fixture(scope="session")
def phantom():
    """Three ellipsoids and a ramp: no symmetry, other lengths along all axes."""
    shape = (11, 18, 23)
    z, y, x = np.meshgrid(*(np.arange(n) for n in shape), indexing="ij")
    data = 0.5 * z + 0.25 * y + 0.125 * x
    for centre, radii, value in (
        ((4, 6, 15), (2, 3, 5), 100),
        ((7, 12, 6), (3, 4, 3), 60),
        ((2, 3, 4), (1.5, 1.5, 2), 30),
    ):
        distance = sum(
            ((a - c) / r) ** 2 for a, c, r in zip((z, y, x), centre, radii, strict=True)
        )
        data = data + value * np.exp(-(distance**2))
    return data.astype(np.float32)
