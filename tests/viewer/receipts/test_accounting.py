"""Shares of the receipt count only pixels that the volume covers."""

import numpy as np
import pytest

from brickfield.viewer.receipts.measure import pixel_shares, quantiles


def test_shares_count_only_pixels_that_the_volume_covers():
    classes = np.array([[0, 1, 1, 1], [0, 2, 3, 4]], dtype=np.uint8)
    shares = pixel_shares(classes)
    assert shares == pytest.approx(
        {"at_target": 3 / 6, "coarser": 1 / 6, "empty": 1 / 6, "failed": 1 / 6}
    )


def test_of_a_picture_with_fewer_pixels_none_is_at_the_target():
    classes = np.array([[1, 1, 3, 4]], dtype=np.uint8)
    shares = pixel_shares(classes, is_reduced=True)
    expected = {"at_target": 0, "coarser": 2 / 4, "empty": 1 / 4, "failed": 1 / 4}
    assert shares == pytest.approx(expected)


def test_a_picture_beside_the_volume_has_no_shares():
    assert set(pixel_shares(np.zeros((2, 2), np.uint8)).values()) == {0.0}


def test_quantiles_of_nothing_are_zero():
    assert quantiles([]) == {"median": 0.0, "p99": 0.0}
    assert quantiles([1.0, 2.0, 3.0])["median"] == 2.0
