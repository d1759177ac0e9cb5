"""Images lie where SpatialData's metadata put them.

The metadata are those that spatialdata 0.7.3 writes: systems are named as in 0.6, beside
datasets and axes of 0.5, and there is one transformation for each system.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

import brickfield as bf
from brickfield.sources.mosaic import list_tiles
from brickfield.testing.zarr_stores import write_group, write_image

C, S = np.cos(0.3), np.sin(0.3)
TURN = [[1, 0, 0, 0], [0, C, -S, 10], [0, S, C, 20]]
AXES = [{"name": "c", "type": "channel"}] + [
    {"name": a, "type": "space", "unit": "unit"} for a in "yx"
]
ENDS = {"input": {"name": "cyx", "axes": AXES}}


def to(system, transform):
    return {**transform, **ENDS, "output": {"name": system, "axes": AXES}}


def affine(system="global"):
    return to(system, {"type": "affine", "affine": TURN})


@pytest.fixture
def image(tmp_path):
    """Write an image of two levels with some transformations beside its datasets."""

    def write(*transforms, name="im"):
        axes = [
            {k: v for k, v in axis.items() if k != "unit"} for axis in AXES
        ]  # units stand in the systems alone
        datasets = [
            {
                "path": f"{i}",
                "coordinateTransformations": [
                    {"type": "scale", "scale": [1.0, 2.0**i, 2.0**i]}
                ],
            }
            for i in range(2)
        ]
        about = {
            "ome": {
                "omero": {"channels": [{"label": 0}, {"label": 1}]},
                "version": "0.5-dev-spatialdata",
                "multiscales": [
                    {
                        "datasets": datasets,
                        "name": f"/images/{name}",
                        "axes": axes,
                        "coordinateTransformations": list(transforms),
                    }
                ],
            },
            "spatialdata_attrs": {"version": "0.3"},
        }
        fine = np.arange(2 * 40 * 50).reshape(2, 40, 50).astype("u1")
        path = tmp_path / "data.zarr" / "images" / name
        levels = [fine, fine[:, ::2, ::2]]
        write_image(path, levels, about, chunks=(1, 20, 25), zarr_format=3)
        return str(path)

    return write


@pytest.fixture
def elements(image, tmp_path):
    """A whole store: three images, labels, points, in two systems."""
    half = to("um", {"type": "scale", "scale": [1.0, 0.5, 0.5]})
    shift = {"type": "translation", "translation": [0.0, 30.0, 60.0]}
    image(half, name="alone")
    image(half, affine(), name="he")
    image(to("global", shift), name="shifted")
    root = tmp_path / "data.zarr"
    about = {"spatialdata_attrs": {"version": "0.2"}}
    write_group(root, about, zarr_format=3)
    write_group(root / "images", {}, zarr_format=3)
    names = {"ome": {"labels": ["cells"]}}
    write_group(root / "labels", names, zarr_format=3)
    write_group(root / "points", {}, zarr_format=3)
    write_group(root / "points" / "tx", {"encoding-type": "ngff:points"}, zarr_format=3)
    plane = AXES[1:]
    way = {
        "type": "identity",
        "input": {"name": "yx", "axes": plane},
        "output": {"name": "global", "axes": plane},
    }
    axes = [{k: v for k, v in a.items() if k != "unit"} for a in plane]
    level = [{"type": "scale", "scale": [1.0, 1.0]}]
    labels = {
        "image-label": {"version": "0.5"},
        "version": "0.5-dev-spatialdata",
        "multiscales": [
            {
                "datasets": [{"path": "0", "coordinateTransformations": level}],
                "axes": axes,
                "coordinateTransformations": [way],
            }
        ],
    }
    data = np.arange(40 * 50).reshape(40, 50).astype("u2")
    write_image(root / "labels" / "cells", [data], {"ome": labels}, zarr_format=3)
    return str(root)


def test_a_store_opens_with_an_image_of_the_usual_system(elements):
    with bf.open_store(elements) as store:
        assert store.info.series == ("alone", "he", "shifted", "cells")
        assert store.info.beside == ("he", "shifted", "cells")
        np.testing.assert_allclose(
            plane_of(store.transform), [[C, -S, 10], [S, C, 20], [0, 0, 1]]
        )


def test_what_is_not_shown_is_told(elements):
    with bf.open_store(elements) as store:
        told = {f.code: f.text for f in store.findings if f.path == ""}
    assert "found 'alone' in 'um'; left them out" in told["further-systems"]
    assert "points 'tx'" in told["elements-left-out"]


@pytest.mark.parametrize(
    ("name", "is_labels", "size"),
    [("alone", False, 0.5), ("cells", True, 1.0)],
)
def test_every_image_is_chosen_by_its_name(elements, name, is_labels, size):
    with bf.open_store(elements, image=name) as store:
        assert store.info.is_labels is is_labels
        assert store.pyramid.levels[0].voxel_size_zyx[1:] == (size, size)


def test_the_images_of_one_system_are_listed_where_they_lie(elements):
    listed = list_tiles(elements)
    assert [place.name for place, _ in listed.tiles] == ["he", "shifted"]
    assert not listed.is_scene
    np.testing.assert_allclose(
        plane_of(listed.tiles[1][0].matrix.matrix), [[1, 0, 30], [0, 1, 60], [0, 0, 1]]
    )


def test_a_store_without_images_opens_its_labels(elements):
    shutil.rmtree(f"{elements}/images")
    with bf.open_store(elements) as store:
        assert store.info.is_labels


def test_an_image_that_cannot_be_read_costs_itself_alone(elements):
    (Path(elements) / "images" / "alone" / "zarr.json").write_text("{")
    with bf.open_store(elements) as store:
        assert store.info.beside == ("he", "shifted", "cells")


def plane_of(matrix):
    return np.asarray(matrix)[1:, 1:]


def test_an_affine_turns_the_image(image):
    with bf.open_store(image(affine())) as store:
        np.testing.assert_allclose(
            plane_of(store.transform), [[C, -S, 10], [S, C, 20], [0, 0, 1]]
        )


def test_rows_of_a_matrix_are_those_of_the_axes_that_it_leads_to(image):
    """Matrices are mostly given for x and y, and written so."""
    way = affine()
    way["output"] = {"name": "global", "axes": [AXES[0], AXES[2], AXES[1]]}
    with bf.open_store(image(way)) as store:
        assert not [f for f in store.findings if f.severity == "error"]
        np.testing.assert_allclose(
            plane_of(store.transform), [[S, C, 20], [C, -S, 10], [0, 0, 1]]
        )


def test_of_several_systems_one_is_drawn_and_the_others_are_told(image):
    half = to("um", {"type": "scale", "scale": [1.0, 0.5, 0.5]})
    in_um = to("um", {"type": "sequence", "transformations": [affine("um"), half]})
    with bf.open_store(image(in_um, affine())) as store:
        np.testing.assert_allclose(
            plane_of(store.transform), [[C, -S, 10], [S, C, 20], [0, 0, 1]]
        )
        (told,) = [f.text for f in store.findings if f.code == "further-systems"]
    assert "um, global; drew 'global'" in told


def test_without_the_usual_system_the_first_is_drawn(image):
    half = to("um", {"type": "scale", "scale": [1.0, 0.5, 0.5]})
    with bf.open_store(image(half, affine("other"))) as store:
        np.testing.assert_allclose(plane_of(store.transform), np.diag([0.5, 0.5, 1]))


def test_images_of_one_system_are_one_mosaic(image):
    shift = {"type": "translation", "translation": [0.0, 30.0, 60.0]}
    paths = [image(affine()), image(to("global", shift), name="im2")]
    with bf.open_mosaic(paths) as mosaic:
        first, second = (matrix for _, _, matrix in mosaic.tiles)
    np.testing.assert_allclose(
        plane_of(first), [[C, -S, 10], [S, C, 20], [0, 0, 1]], atol=1e-12
    )
    np.testing.assert_allclose(plane_of(second), [[1, 0, 30], [0, 1, 60], [0, 0, 1]])
