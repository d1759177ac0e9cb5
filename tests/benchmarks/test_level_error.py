"""E3b: the best cut of an octree, against other ways to find it."""

from itertools import product

import numpy as np
import pytest
from benchmarks.level_error import Places, error_of, least_error, places_of
from benchmarks.scenes import orbit
from scipy.optimize import Bounds, LinearConstraint, milp

from brickfield.model import ChunkId


def _places(n_chunks, seed=0):
    """Places in all chunks, which deserve all kinds of levels."""
    rng = np.random.default_rng(seed)
    indices = np.array(list(product(range(n_chunks), repeat=3)) * 2)
    deserved = rng.uniform(0, np.log2(n_chunks), len(indices)) * rng.uniform(0, 1)
    weights = rng.uniform(0, 1, len(indices)) ** 3
    return Places(indices, deserved, weights / weights.sum())


def _by_integers(places, n_chunks, n_bricks, *, keeps_parents):
    """The same by integer programming: cells are drawn, and paid for, or not."""
    levels = range(int(np.log2(n_chunks)) + 1)
    cells = [
        (level, *index)
        for level in levels
        for index in product(range(n_chunks >> level), repeat=3)
    ]
    row = {cell: i for i, cell in enumerate(cells)}
    n = len(cells)
    cost = np.zeros(2 * n)
    for level in levels:
        errors = places.errors(level)
        for index, error in zip(
            (places.indices >> level).tolist(), errors, strict=True
        ):
            cost[row[(level, *index)]] += error
    finest = [c for c in cells if c[0] == 0]
    covered = np.zeros((len(finest), 2 * n))
    paid = np.zeros((n, 2 * n))
    for i, (_, *index) in enumerate(finest):
        for level in levels:
            covered[i, row[(level, *(k >> level for k in index))]] = 1
    for cell, i in row.items():
        below = [
            j
            for other, j in row.items()
            if other[0] <= cell[0]
            and (keeps_parents or other == cell)
            and all(
                a >> (cell[0] - other[0]) == b
                for a, b in zip(other[1:], cell[1:], strict=True)
            )
        ]
        paid[i, n + i] = len(below)
        paid[i, below] = -1
    total = np.concatenate([np.zeros(n), np.ones(n)])
    done = milp(
        cost,
        integrality=np.ones(2 * n),
        bounds=Bounds(0, 1),
        constraints=[
            LinearConstraint(covered, 1, 1),
            LinearConstraint(paid, 0, np.inf),
            LinearConstraint(total, 0, n_bricks),
        ],
    )
    return done.fun


@pytest.mark.parametrize("keeps_parents", [False, True])
@pytest.mark.parametrize("n_bricks", [1, 9, 23, 40])
def test_the_least_error_is_that_of_integer_programming(n_bricks, keeps_parents):
    places = _places(4, seed=n_bricks)
    expected = _by_integers(places, 4, n_bricks, keeps_parents=keeps_parents)
    found = least_error(places, 4, n_bricks, keeps_parents=keeps_parents)
    assert found == pytest.approx(expected, abs=1e-6)


def test_enough_bricks_leave_no_error():
    assert least_error(_places(8), 8, 512) == pytest.approx(0)


def test_the_error_of_a_picture_is_that_of_the_level_at_each_place():
    places = _places(4)
    whole = np.array([ChunkId(2, (0, 0, 0)).key])
    assert error_of(whole, places) == pytest.approx(places.errors(2).sum())
    # Level 0 lies over a part of level 2; there it counts.
    both = np.append(whole, ChunkId(0, (1, 2, 3)).key)
    is_fine = (places.indices == (1, 2, 3)).all(axis=1)
    expected = np.where(is_fine, places.errors(0), places.errors(2)).sum()
    assert error_of(both, places) == pytest.approx(expected)


def test_a_picture_deserves_voxels_of_one_pixel():
    size = (800, 600)
    camera = orbit((256,) * 3, size, distance=20, fov=50)
    places = places_of(camera, 256)
    assert places.weights.sum() == pytest.approx(1)
    assert places.indices.min(axis=0).tolist() == [0, 0, 0]
    assert places.indices.max(axis=0).tolist() == [3, 3, 3]
    px = 600 / 2 / np.tan(np.radians(25)) / (20 * 256)
    assert np.median(places.deserved) == pytest.approx(min(2, -np.log2(px)), abs=0.1)
