"""A layer's place in the world is a matrix: exact for turns, consistent for shears."""

from __future__ import annotations

import numpy as np
import pytest

from brickfield.loading import default_cache
from brickfield.model import AffineTransform
from brickfield.store import open_store


@pytest.fixture
def blocks() -> np.ndarray:
    """A volume without any symmetry."""
    rng = np.random.default_rng(5)
    return rng.integers(0, 255, (70, 70, 70), dtype=np.uint8)


def turned(axis_from: int, axis_to: int, n: int) -> AffineTransform:
    """Turn by 90 degrees in the plane of two axes, back onto the same box."""
    m = np.eye(4)
    m[[axis_from, axis_to]] = m[[axis_to, axis_from]]
    m[axis_from] *= -1
    m[axis_from, 3] = n - 1
    return AffineTransform.from_matrix(m)


@pytest.mark.parametrize("plane", [(1, 2), (0, 1), (0, 2)])
def test_a_quarter_turn_shows_the_turned_volume_exactly(
    make_view, layer_of, blocks, plane
):
    default_cache().clear()
    with open_store(blocks) as store:
        layer = layer_of(store)
        layer.world = turned(*plane, 70)
        view = make_view(layer, size=(70, 70), camera="ortho:z")
        assert view.wait_until_complete(30)
        image = view.image()[..., 0]
    # world[p] = data[inverse(p)]: numpy's rot90 in the same plane
    expected = np.rot90(blocks, axes=plane).max(axis=0)
    assert np.array_equal(image, expected)


def test_a_shear_moves_slices_sideways(make_view, layer_of):
    data = np.zeros((40, 60, 60), np.uint8)
    data[10, 20, 20] = 255
    data[30, 20, 20] = 255
    shear = np.eye(4)
    shear[2, 0] = 1.0  # x grows by z
    default_cache().clear()
    with open_store(data) as store:
        layer = layer_of(store)
        layer.world = AffineTransform.from_matrix(shear)
        # The sheared box reaches from -1 to 99, so pixel i shows x = i - 0.5.
        view = make_view(layer, size=(100, 60), camera="ortho:z")
        assert view.wait_until_complete(30)
        image = view.image()[..., 0]
    rows, columns = np.nonzero(image > 100)
    assert set(rows.tolist()) == {20}
    assert columns.tolist() == [30, 31, 50, 51]


def test_voxel_size_and_translation_do_not_change_what_a_fitting_view_shows(
    make_view, layer_of, blocks
):
    pictures = []
    for scale in ((1.0, 1.0, 1.0), (0.2, 0.2, 0.2)):
        default_cache().clear()
        with open_store(blocks, scale=scale) as store:
            layer = layer_of(store)
            m = layer.world.matrix.copy()
            m[:3, 3] = [1000, -500, 3] if scale[0] < 1 else 0
            layer.world = AffineTransform.from_matrix(m)
            view = make_view(layer, size=(70, 70), camera="ortho:y")
            assert view.wait_until_complete(30)
            pictures.append(view.image()[..., 0])
    assert np.array_equal(*pictures)
    assert np.array_equal(pictures[0], blocks.max(axis=1))
