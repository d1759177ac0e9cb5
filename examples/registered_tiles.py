"""Three tiles, each turned otherwise, drawn as one where they lie. Needs scipy."""

from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import affine_transform

import brickfield as bf
from brickfield.sample import ensure_sample

# Each tile lies along axes of its own, turned about z: that is what a matrix says.
SHAPE = np.array((150, 280, 180))
PLACES = ((-20, (0.5, 0.48, 0.24)), (10, (0.5, 0.5, 0.5)), (25, (0.5, 0.5, 0.78)))

with bf.open_store(ensure_sample(Path(".demo"))) as sample:
    whole = sample.read(0)

tiles, matrices = [], []
for degrees, middle in PLACES:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turn = np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    matrix = np.eye(4)
    matrix[:3, :3] = turn
    matrix[:3, 3] = np.array(middle) * whole.shape - turn @ (SHAPE / 2)
    matrices.append(matrix)
    tiles.append(affine_transform(whole, turn, matrix[:3, 3], tuple(SHAPE), order=1))

with bf.open_mosaic(tiles, matrices, overlap="feather") as mosaic:
    look = {"mode": "iso", "iso_threshold": 1300, "contrast": (100, 1400)}
    result = bf.render(mosaic, size=(640, 440), camera="orbit:20,25,1.6", **look)
    shape = " x ".join(map(str, mosaic.pyramid.levels[0].shape))

Image.fromarray(result.image).save("tiles.png")
print(f"{len(tiles)} tiles as one of {shape}, complete: {result.receipt.complete}")
