"""Open an image in napari's volume dock, and make a picture of a surface."""

import napari

import brickfield as bf

viewer = napari.Viewer()
nuclei, vessels = bf.open_volume(".demo/sample-1.ome.zarr", viewer)
view = bf.view_of(viewer)
view.mode = "iso"
nuclei.iso_threshold = vessels.iso_threshold = 1500
view.set_overlay_options("bounding_box", visible=True)

view.screenshot("surface.png")
receipt = view.receipt
print(f"complete: {receipt.complete}, bricks of levels: {receipt.levels}")

if __name__ == "__main__":
    napari.run()
