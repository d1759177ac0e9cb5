"""Draw the pictures of the documentation: python tools/pictures.py [NAME…].

Needs the extra `test` (scipy) for the picture of labels. The commands under the
pictures in docs/guide/gallery.md say the same as the table below.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import brickfield as bf
from brickfield.planning import EXPORT
from brickfield.rendering import Lines, ObjectSet, OffscreenView, Points, Surface
from brickfield.sample import ensure_sample
from brickfield.viewer.export import camera_for, make_layer, render_options

ROOT = Path(__file__).parent.parent
IMAGES = ROOT / "docs" / "images"
SMALL: dict[str, Any] = {"size": (420, 350), "camera": "orbit:35,20,1.55"}
SAMPLE: dict[str, dict[str, Any]] = {
    "sample": {"size": (900, 700), "camera": "orbit:35,20,1.6"},
    "mip": SMALL,
    "average": SMALL | {"mode": "average", "contrast": [(100, 600), (100, 280)]},
    "attenuated_mip": SMALL | {"mode": "attenuated_mip"},
    "iso": SMALL
    | {"mode": "iso", "iso_threshold": 1300, "contrast": [(100, 1400), (100, 1400)]},
    "translucent": SMALL
    | {"mode": "translucent", "contrast": [(900, 3000), (500, 1500)]},
    "additive": SMALL
    | {"mode": "additive", "contrast": [(150, 100_000), (150, 50_000)]},
    "overlays": {
        "size": (640, 480),
        "camera": "orbit:35,20",
        "overlay": ("scale_bar", "axes", "bounding_box", "colorbar"),
    },
    "levels": SMALL
    | {
        "camera": "orbit:35,20,2.4",
        "channel": 0,
        "mode": "iso",
        "iso_threshold": 1300,
        "contrast": (100, 1400),
        "gpu_budget": "24 MiB",
        "show_levels": True,
    },
}
"""Pictures of the sample: options of `brickfield.render`."""


def nuclei(light: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Number the nuclei of the sample, shape (z, y, x): each its own label."""
    from scipy import ndimage

    inside = ndimage.gaussian_filter(light.astype(np.float32), 1.0) > 500
    depth = ndimage.distance_transform_edt(inside)
    is_middle = (depth == ndimage.maximum_filter(depth, size=7)) & (depth > 2)
    middles, _ = ndimage.label(ndimage.binary_dilation(is_middle))
    nearest = ndimage.distance_transform_edt(
        middles == 0, return_distances=False, return_indices=True
    )
    numbered: NDArray[np.uint16] = np.where(inside, middles[tuple(nearest)], 0)
    return numbered.astype(np.uint16)


def draw(name: str, store: bf.ChunkedImageStore, options: dict[str, Any]) -> None:
    """Draw one picture into the folder of the documentation."""
    result = bf.render(store, timeout=300, **options)
    target = IMAGES / f"{name}.png"
    picture = Image.fromarray(result.image).convert("RGB")
    if name != "overlays":
        # A palette makes it a third as large, and nobody sees it but in a colour bar.
        picture = picture.quantize(192)
    picture.save(target, optimize=True)
    size, levels = target.stat().st_size / 1024, result.receipt.levels
    print(f"{target.relative_to(ROOT)}: {size:.0f} KiB, bricks of levels {levels}")


def draw_objects(store: bf.ChunkedImageStore) -> None:
    """Draw points, a surface and a line among the voxels of the sample."""
    options = render_options(**SMALL)
    layer = make_layer(store, options)
    view = OffscreenView(options.size, policy=EXPORT)
    view.set_layers([layer])
    view.camera = camera_for(layer, options)
    turn = np.linspace(0, 6 * np.pi, 400)
    wave = 48 + 40 * np.stack([turn / 9 - 1.05, np.cos(turn), np.sin(turn)], axis=1)
    up, across = np.meshgrid(np.linspace(0, np.pi, 40), np.linspace(0, 2 * np.pi, 60))
    ball = [np.cos(up), np.sin(up) * np.cos(across), np.sin(up) * np.sin(across)]
    corner = (np.arange(59)[:, None] * 40 + np.arange(39)).ravel()
    faces = np.concatenate(
        [corner[:, None] + [0, 1, 40], corner[:, None] + [1, 41, 40]]
    )
    ObjectSet(view.objects).show(
        {
            "ball": Surface(
                vertices=48 + 11 * np.stack(ball, axis=-1).reshape(-1, 3),
                faces=faces,
                colors=(0.84, 0.37, 0.0, 1.0),
            ),
            "line": Lines(paths=(wave,), colors=(0.94, 0.89, 0.26, 1.0), width=3),
            "dots": Points(positions=wave[::20], sizes=4, border_width=0.1),
        }
    )
    view.wait_until_complete(300)
    picture = Image.fromarray(view.image()).convert("RGB")
    picture.quantize(192).save(IMAGES / "objects.png", optimize=True)
    view.close()


def main(wanted: list[str]) -> None:
    """Draw the named pictures, or all."""
    IMAGES.mkdir(exist_ok=True)
    store = bf.open_store(ensure_sample(ROOT / ".demo"))
    pictures = {name: (store, options) for name, options in SAMPLE.items()}
    cubes = (0.5, 0.5, 0.5)
    bright = 6000 - store.read(1, selection=(1,)).clip(0, 6000)
    options = SMALL | {"mode": "minip", "contrast": (2500, 5900)}
    pictures["minip"] = (bf.open_store(bright, scale=cubes), options)
    labels = nuclei(store.read(1, selection=(0,)))
    options = SMALL | {"labels": True}
    pictures["labels"] = (bf.open_store(labels, scale=cubes), options)
    for name in wanted or (*pictures, "objects"):
        if name == "objects":
            draw_objects(store)
        else:
            draw(name, *pictures[name])


if __name__ == "__main__":
    main(sys.argv[1:])
