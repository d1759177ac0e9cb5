"""What a store lists is what opens, under the name that it lists."""

import json

import h5py
import numpy as np
import pytest

from brickfield.sources.images.catalogue import Catalogue, list_images
from brickfield.sources.open import open_source
from brickfield.testing.zarr_stores import (
    image_attributes,
    write_group,
    write_image,
    write_plate,
)


def names_and_kinds(uri):
    return [(entry.name, entry.kind) for entry in list_images(str(uri))]


def write_bioformats(root):
    write_group(root, {"bioformats2raw.layout": 3})
    for i in range(2):
        write_image(root / str(i), [np.full((4, 4 + i), i, "u1")])
    (root / "OME").mkdir()
    images = "".join(f'<Image ID="{n}" Name="{n}"/>' for n in ("left/eye", "0"))
    (root / "OME" / "METADATA.ome.xml").write_text(f"<OME>{images}</OME>")
    return root


def write_labelled(root, image="cells"):
    look = image_attributes("yx", [[1, 1]])
    look["multiscales"][0]["name"] = image
    write_image(root, [np.zeros((6, 6), "u2")], look)
    write_group(root / "labels", {"labels": ["nuclei"]})
    label = image_attributes("yx", [[1, 1]]) | {"image-label": {}}
    write_image(root / "labels" / "nuclei", [np.ones((6, 6), "u4")], label)
    return root


def write_many_hdf5(path):
    with h5py.File(path, "w") as file:
        file["raw/a"] = np.zeros((3, 4, 5), "u1")
        file["other"] = np.zeros((6, 7), "f4")
    return path


def write_setups(folder):
    import tensorstore as ts

    for i, size in enumerate(((4, 5, 6), (6, 7, 8))):
        spec = {
            "driver": "n5",
            "kvstore": f"file://{folder}/data.n5/setup{i}/timepoint0/s0/",
            "create": True,
            "dtype": "uint8",
            "schema": {"domain": {"shape": size}},
        }
        ts.open(spec).result()
    setups = "".join(
        f"<ViewSetup><id>{i}</id><name>view {i}</name><size>{size}</size></ViewSetup>"
        for i, size in enumerate(("4 5 6", "6 7 8"))
    )
    path = folder / "data.xml"
    path.write_text(
        '<SpimData version="0.2"><BasePath type="relative">.</BasePath>'
        '<SequenceDescription><ImageLoader format="bdv.n5"><n5 type="relative">data.n5'
        f"</n5></ImageLoader><ViewSetups>{setups}</ViewSetups>"
        '<Timepoints type="range"><first>0</first><last>0</last></Timepoints>'
        "</SequenceDescription><ViewRegistrations/></SpimData>"
    )
    return path


STORES = {
    "plate": (
        lambda at: write_plate(at / "p.zarr"),
        [(f"{w}/{f}", "field") for w in ("A/1", "B/02") for f in "01"],
    ),
    "well": (
        lambda at: write_plate(at / "p.zarr") / "B/02",
        [("0", "field"), ("1", "field")],
    ),
    "series": (
        lambda at: write_bioformats(at / "b.zarr"),
        [("left/eye", "image"), ("0", "image")],
    ),
    "labels beside an image": (
        lambda at: write_labelled(at / "i.zarr"),
        [("cells", "image"), ("nuclei", "labels")],
    ),
    "labels called as their image": (
        lambda at: write_labelled(at / "i.zarr", "nuclei"),
        [("nuclei", "image"), ("nuclei/labels/nuclei", "labels")],
    ),
    "labels alone": (
        lambda at: write_labelled(at / "i.zarr") / "labels",
        [("nuclei", "labels")],
    ),
    "datasets of a file": (
        lambda at: write_many_hdf5(at / "d.h5"),
        [("/raw/a", "image"), ("/other", "image")],
    ),
    "setups": (write_setups, [("view 0", "image"), ("view 1", "image")]),
}


@pytest.mark.parametrize("kind", STORES)
def test_every_name_opens_the_image_that_is_listed(kind, tmp_path):
    write, listed = STORES[kind]
    uri = str(write(tmp_path))
    entries = list_images(uri)
    assert sorted((e.name, e.kind) for e in entries) == sorted(listed)
    for entry in entries:
        source = open_source(uri, image=entry.name)
        pyramid = source.info.pyramid
        assert pyramid.levels[0].shape == entry.shape
        assert tuple(axis.name for axis in pyramid.axes) == entry.axes
        assert source.info.is_labels == (entry.kind == "labels")
        source.close()


def test_a_listed_name_goes_before_the_folder_of_another(tmp_path):
    """The second image is called 0, the first lies in the folder 0."""
    root = write_bioformats(tmp_path / "b.zarr")
    assert open_source(root, image="0").info.pyramid.levels[0].shape == (4, 5)
    assert open_source(root, image="left/eye").info.pyramid.levels[0].shape == (4, 4)


def test_labels_of_a_field_are_listed_behind_it(tmp_path):
    root = write_plate(tmp_path / "p.zarr", ("A/1",), 1)
    write_group(root / "A/1/0/labels", {"labels": ["cells"]})
    label = image_attributes("yx", [[1, 1]]) | {"image-label": {}}
    write_image(root / "A/1/0/labels/cells", [np.ones((8, 8), "u2")], label)
    assert names_and_kinds(root) == [
        ("A/1/0", "field"),
        ("A/1/0/labels/cells", "labels"),
    ]
    assert open_source(root, image="A/1/0/labels/cells").info.is_labels


def test_a_well_without_a_folder_is_on_the_plate_but_opens_nothing(tmp_path):
    root = write_plate(tmp_path / "p.zarr", ("A/1", "A/2", "B/2"), 1, absent=["A/1"])
    catalogue = Catalogue(str(root))
    assert [w.path for w in catalogue.plate.wells] == ["A/1", "A/2", "B/2"]
    assert [e.name for e in catalogue.entries()] == ["A/2/0", "B/2/0"]


def test_a_plate_opens_its_first_well_that_is_there(tmp_path, read_level):
    root = write_plate(tmp_path / "p.zarr", ("A/1", "A/2"), 1, absent=["A/1"])
    source = open_source(root)
    assert (read_level(source, 0) == 11).all()
    assert source.info.image == "A/2/0"
    assert "found nothing there and opened A/2" in source.info.findings[0].text


def test_a_plate_is_drawn_from_its_root_alone(tmp_path):
    """Wells have a place before any of them is read."""
    wells = [f"{row}/{column}" for row in "ABCDEFGHIJKLMNOP" for column in range(1, 25)]
    root = write_plate(tmp_path / "p.zarr", wells, absent=wells)
    plate = Catalogue(str(root)).plate
    assert plate.rows == tuple("ABCDEFGHIJKLMNOP")
    assert plate.columns == tuple(map(str, range(1, 25)))
    last = plate.wells[-1]
    assert (last.path, last.row, last.column) == ("P/24", 15, 23)


def test_a_plate_without_rows_and_columns_has_a_place_for_every_well(tmp_path):
    root = write_plate(tmp_path / "p.zarr", ("A/1", "C/9"), 1)
    attributes = json.loads((root / ".zattrs").read_text())
    del attributes["plate"]["rows"], attributes["plate"]["columns"]
    (root / ".zattrs").write_text(json.dumps(attributes))
    plate = Catalogue(str(root)).plate
    assert (plate.rows, plate.columns) == (("A", "C"), ("1", "9"))
    assert [(w.row, w.column) for w in plate.wells] == [(0, 0), (1, 1)]
