"""Write down what one sees as a scene document, and put it back."""

from pathlib import Path

import napari

import brickfield as bf
from brickfield.scene import read_scene, write_scene

viewer = napari.Viewer()
layers = bf.open_volume(".demo/sample-1.ome.zarr", viewer)
layers[0].contrast_limits = (300, 3000)
bf.view_of(viewer).mode = "attenuated_mip"
write_scene(bf.get_state(viewer), Path("scene.json"))

viewer.layers.clear()
bf.set_state(viewer, read_scene(Path("scene.json")))
print("layers:", [layer.name for layer in viewer.layers])
print("mode:", bf.view_of(viewer).mode)

if __name__ == "__main__":
    napari.run()
