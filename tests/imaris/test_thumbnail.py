"""The picture of images that have fewer voxels than it has pixels, and of deep ones."""

import tracemalloc
from itertools import product

import numpy as np
from numpy.testing import assert_array_equal

from brickfield.imaris.thumbnail import Projection


def test_several_pixels_show_one_voxel_of_a_small_image():
    image = np.random.default_rng(0).integers(0, 99, (5, 2, 3))
    made = Projection(image.shape, (1.0, 2.0, 3.0))
    made.add(image, (0, 0, 0))
    rows, columns = (
        ((np.arange(n) + 0.5) * m / n).astype(int)
        for n, m in zip(made.values.shape, (2, 3), strict=True)
    )
    assert_array_equal(made.values, image.max(axis=0)[np.ix_(rows, columns)])


def test_parts_in_any_order_make_the_same_picture():
    image = np.random.default_rng(1).normal(size=(6, 40, 300))
    image[0, :3] = np.nan
    whole, parts = (Projection(image.shape, (1.0, 40.0, 300.0)) for _ in range(2))
    whole.add(image, (0, 0, 0))
    for z, y, x in product((3, 0), (24, 0), (200, 0)):
        parts.add(image[z : z + 3, y : y + 24, x : x + 200], (z, y, x))
    assert_array_equal(whole.values, parts.values)


def test_a_deep_image_of_few_voxels_takes_little_memory():
    image = np.zeros((2000, 2, 3), np.uint8)
    made = Projection(image.shape, (1.0, 2.0, 3.0))
    tracemalloc.start()
    made.add(image, (0, 0, 0))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 << 20
