"""Points and a path among the voxels: napari's layers, drawn in the dock."""

import napari
import numpy as np

import brickfield as bf

viewer = napari.Viewer()
layers = bf.open_volume(".demo/sample-1.ome.zarr", viewer)
units = layers[0].units
turn = np.linspace(0, 6 * np.pi, 200)
helix = 48 + np.stack([turn * 4 - 38, 40 * np.cos(turn), 40 * np.sin(turn)], axis=1)
viewer.add_shapes(
    [helix], shape_type="path", edge_color="yellow", edge_width=0.6, units=units
)
viewer.add_points(helix[::10], size=4, face_color="white", units=units)
bf.view_of(viewer).screenshot("spots.png")

if __name__ == "__main__":
    napari.run()
