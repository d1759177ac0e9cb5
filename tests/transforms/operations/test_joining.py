"""Volumes of fewer voxels."""

import numpy as np
import pytest

from brickfield.errors import OptionError
from brickfield.transforms.operations import joining
from brickfield.transforms.operations.joining import Join


def test_a_voxel_is_the_mean_of_those_it_covers(make_all):
    data = np.random.default_rng(0).random((6, 9, 12))
    made = make_all(Join.by(3), data)
    expected = data.reshape(2, 3, 3, 3, 4, 3).mean(axis=(1, 3, 5))
    assert np.allclose(made, expected)


def test_edge_voxels_are_made_of_those_that_exist(make_all):
    data = np.arange(7, dtype=np.float64).reshape(1, 1, 7)
    assert make_all(Join.by((1, 1, 3)), data).tolist() == [[[1, 4, 6]]]


def test_integers_are_rounded_half_to_even(make_all):
    data = np.array([[[0, 1, 2, 3]]], np.uint8)
    assert make_all(Join.by((1, 1, 2)), data).tolist() == [[[0, 2]]]


def test_labels_are_joined_by_the_most_frequent(make_all):
    data = np.array([[[7, 7, 9, 1, 9, 9]]], np.uint32)
    assert make_all(Join.by((1, 1, 3), "mode"), data).tolist() == [[[7, 9]]]


def test_the_centre_of_a_joined_voxel_is_the_middle_of_its_parts():
    """Voxels 0, 1, 2 become voxel 0, whose centre is at 1."""
    forward = Join.by((1, 1, 3)).forward()
    assert forward @ [0, 0, 1, 1] == pytest.approx([0, 0, 0, 1])
    assert forward @ [0, 0, 4, 1] == pytest.approx([0, 0, 1, 1])


def test_large_factors_are_read_in_bounded_boxes(make_all, monkeypatch):
    monkeypatch.setattr(joining, "MOST_BOX", 500)
    data = np.random.default_rng(0).random((10, 20, 30))
    made = make_all(Join.by(5), data)
    assert np.allclose(made, data.reshape(2, 5, 4, 5, 6, 5).mean(axis=(1, 3, 5)))
    assert max(np.prod([s.stop - s.start for s in b]) for b in make_all.boxes) <= 500


@pytest.mark.parametrize("factor", [0, -1, "1,2", "a", 1.5, (1, 2)])
def test_factors_that_make_no_sense_are_refused(factor):
    with pytest.raises(OptionError, match="factor"):
        Join.by(factor)
