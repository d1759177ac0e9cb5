"""What a level takes is known before anything of it is read."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

import brickfield.gpu
from brickfield.store import ChunkedLayer, open_store
from brickfield.viewer.controls.level_estimates import LEVEL_COLORS, estimate_levels


def layer_of(*shapes, dtype=np.uint8, **options):
    arrays = [np.zeros(shape, dtype) for shape in shapes]
    return ChunkedLayer(open_store(arrays, **options))


def test_all_bricks_count_with_their_borders():
    """128³ in chunks of 64³ are 8 bricks of 66³ bytes; 64³ is one of 64 x 66 x 66."""
    layer = layer_of((128, 128, 128), (64, 64, 64))
    fine, coarse = estimate_levels([layer])
    assert (fine.level, fine.shape_zyx, fine.n_bytes) == (0, (128, 128, 128), 8 * 66**3)
    assert (coarse.level, coarse.n_bytes) == (1, 64 * 66 * 66)


def test_voxels_count_as_they_lie_on_the_gpu():
    """64-bit floats become 32-bit ones."""
    (wide,) = estimate_levels([layer_of((64, 64, 64), dtype=np.float64)])
    assert wide.n_bytes == 4 * 64 * 66 * 66


def test_a_layer_without_the_level_counts_with_its_coarsest():
    deep = layer_of((128, 128, 128), (64, 64, 64))
    flat = layer_of((64, 64, 64))
    _, coarse = estimate_levels([deep, flat])
    assert coarse.n_bytes == 2 * 64 * 66 * 66


def test_hidden_layers_take_nothing():
    layer = layer_of((64, 64, 64))
    layer.visible = False
    assert estimate_levels([layer]) == ()


def test_the_colours_of_levels_are_those_of_the_picture():
    text = (Path(brickfield.gpu.__file__).parent / "wgsl" / "volume.wgsl").read_text()
    body = text.split("fn level_color")[1].split("return")[0]
    shares = re.findall(r"vec3<f32>\(([\d., ]+)\)", body)
    drawn = [[float(v) for v in row.split(",")] for row in shares]
    named = [[int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)] for c in LEVEL_COLORS]
    np.testing.assert_allclose(drawn, named, atol=0.006)
