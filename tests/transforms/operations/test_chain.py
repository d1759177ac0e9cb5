"""One operation after another, in one pass."""

import numpy as np
import pytest
from scipy import ndimage

from brickfield.transforms.operations.chain import Chain
from brickfield.transforms.operations.convention import centre_of, rotation
from brickfield.transforms.operations.gaussian import Smooth
from brickfield.transforms.operations.joining import Join
from brickfield.transforms.operations.resample import Resample


def turned(shape):
    return Resample.by(rotation(30, "z", centre_of(shape), (1, 1, 1)), shape)


def test_a_smoothed_turn_is_the_turn_of_the_smoothed(phantom, make_all):
    chain = Chain(Smooth.by(1.5), turned(phantom.shape))
    smooth = ndimage.gaussian_filter(phantom, 1.5, mode="nearest")
    expected = make_all(turned(phantom.shape), smooth)
    assert np.abs(make_all(chain, phantom) - expected).max() < 1e-4


def test_integers_are_rounded_once_at_the_end(phantom, make_all):
    data = (phantom * 5).astype(np.uint8)
    chain = Chain(Smooth.by(1.5), turned(data.shape))
    smooth = ndimage.gaussian_filter(data.astype(float), 1.5, mode="nearest")
    exact = make_all(turned(data.shape), smooth)
    assert np.array_equal(make_all(chain, data), np.rint(exact))


def test_shapes_and_matrices_follow_each_other(make_all):
    chain = Chain(Join.by(2), turned((4, 5, 6)))
    assert chain.output_shape((8, 10, 12)) == (4, 5, 6)
    expected = turned((4, 5, 6)).forward() @ Join.by(2).forward()
    assert chain.forward() == pytest.approx(expected)
    assert make_all(chain, np.ones((8, 10, 12))).shape == (4, 5, 6)


def test_regions_put_together_are_the_whole(phantom, make_all):
    chain = Chain(Smooth.by(2), turned(phantom.shape))
    whole = make_all(chain, phantom)
    parts = np.empty_like(whole)
    for y in (slice(0, 7), slice(7, 18)):
        region = (slice(0, 11), y, slice(0, 23))
        parts[region] = make_all(chain, phantom, region)
    assert np.abs(parts - whole).max() < 1e-4
