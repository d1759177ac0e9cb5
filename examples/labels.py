"""Draw objects: each number its own colour, zero clear."""

import numpy as np
from PIL import Image

import brickfield as bf

rng = np.random.default_rng(3)
z, y, x = np.indices((64, 96, 96))
objects = np.zeros((64, 96, 96), np.uint32)
for number in range(1, 61):
    middle = rng.uniform((8, 8, 8), (56, 88, 88))
    radius = rng.uniform(4, 9)
    distance = (z - middle[0]) ** 2 + (y - middle[1]) ** 2 + (x - middle[2]) ** 2
    objects[distance < radius**2] = number

store = bf.open_store(objects)
result = bf.render(
    store, size=(400, 300), labels=True, mode="iso", camera="orbit:30,20"
)

Image.fromarray(result.image).save("labels.png")
colors = np.unique(result.image.reshape(-1, 4), axis=0)
print(f"{len(np.unique(objects)) - 1} objects, {len(colors)} colours and shades")
