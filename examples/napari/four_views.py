"""Three slices and the volume; the cross-hair goes to the brightest voxel."""

import napari
import numpy as np

import brickfield as bf

viewer = napari.Viewer()
layers = bf.open_volume(".demo/sample-1.ome.zarr", viewer)
views = bf.open_views(viewer, "2x2")

level = layers[0].data[-1]  # the coarsest one
brightest = np.unravel_index(np.argmax(np.asarray(level)), level.shape)
about = bf.store_of(layers[0]).pyramid.levels[-1]
voxel_size, shift = about.voxel_size[-3:], about.translation[-3:]
point = [float(i * s + t) for i, s, t in zip(brightest, voxel_size, shift, strict=True)]
viewer.dims.set_point((0, 1, 2), point)
print("views:", [view.kind for view in views])
print("cross-hair:", np.round(point, 1))

if __name__ == "__main__":
    napari.run()
