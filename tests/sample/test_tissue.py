"""The computed sample is always the same."""

import numpy as np
import pytest

from brickfield.sample.tissue import Grid, tissue

SMALL = Grid((48, 96, 96), (2.0, 1.0, 1.0))


@pytest.fixture(scope="module")
def volume():
    return tissue(SMALL)


def test_the_sample_is_always_the_same(volume):
    assert (tissue(SMALL) == volume).all()


def test_it_has_two_channels_of_counts(volume):
    assert volume.shape == (2, 48, 96, 96)
    assert volume.dtype == np.uint16


@pytest.mark.parametrize("channel", [0, 1])
def test_it_has_structure_over_a_dark_background(volume, channel):
    """A tenth of a percent is bright, most is near the dark level of 100."""
    values = volume[channel]
    assert 80 < np.median(values) < 120
    assert np.percentile(values, 99.9) > 1000


def test_the_nuclei_form_a_hollow_ball(volume):
    z, y, x = np.indices(volume.shape[1:])
    radius = np.sqrt((2 * (z - 23.5)) ** 2 + (y - 47.5) ** 2 + (x - 47.5) ** 2)
    nuclei = volume[0].astype(float) - 100
    assert nuclei[(radius > 33) & (radius < 40)].mean() > 300
    assert abs(nuclei[radius < 18].mean()) < 10


def test_vessels_are_hollow():
    """On some line through a vessel two bright walls enclose dimmer blood."""
    slab = tissue(Grid((8, 384, 384), (0.5, 0.25, 0.25)))[1].astype(float) - 100
    inside = (slab > 150) & (slab < 700)
    wall = slab > 1000
    assert wall.any()
    assert inside.any()
