"""Draw a time series, one picture a time; what was seen before is not read again."""

import numpy as np
from PIL import Image

import brickfield as bf

z, y, x = np.indices((32, 64, 64), dtype=np.float32)
frames = []
for t in range(5):
    distance = (z - 16) ** 2 + (y - 32) ** 2 + (x - 12 - 10 * t) ** 2
    frames.append(1000 * np.exp(-distance / 80))
movie = np.stack(frames).astype(np.uint16)

store = bf.open_store(movie, axes="tzyx", scale=(2.0, 1.0, 1.0))
view = {"size": (200, 150), "contrast": (0, 1000), "colormap": "inferno"}
for t in (0, 1, 2, 3, 4, 0):
    result = bf.render(store, time=t, **view)
    Image.fromarray(result.image).save(f"time_{t}.png")
    print(f"time {t}: {result.receipt.bytes_read:,} bytes read")
