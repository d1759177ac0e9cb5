"""A series from an array in memory: one slider in napari and in the dock."""

import napari
import numpy as np

import brickfield as bf

z, y, x = np.indices((32, 64, 64), dtype=np.float32)
frames = []
for t in range(12):
    middle = 12 + 40 * t / 11
    distance = (z - 16) ** 2 + (y - 32) ** 2 + (x - middle) ** 2
    frames.append(1000 * np.exp(-distance / 80))
movie = np.stack(frames).astype(np.uint16)

viewer = napari.Viewer()
bf.open_volume(movie, viewer, axes="tzyx", scale=(2.0, 1.0, 1.0))
view = bf.view_of(viewer)
for t in (0, 11):
    viewer.dims.set_current_step(0, t)
    picture = view.screenshot()[..., :3].max(axis=-1)
    column = picture.max(axis=0).argmax() / picture.shape[1]
    print(f"time {t}: brightest {100 * column:.0f} % from the left")

if __name__ == "__main__":
    napari.run()
