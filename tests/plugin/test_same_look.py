"""The same data begin with the same look, from whatever format they come."""

from __future__ import annotations

import json

import h5py
import numpy as np
import pytest
import tensorstore as ts
import tifffile

from brickfield.plugin.layers.make import open_layer_data
from brickfield.testing.zarr_stores import image_attributes, write_image

SCALES = [[1, 1, 1], [2, 2, 2]]
LOOK = ("rendering", "colormap", "blending", "visible", "contrast_limits", "rgb")
"""What a person sees of a layer as it is opened."""
XML = """<SpimData version="0.2"><BasePath type="relative">.</BasePath>
<SequenceDescription><ImageLoader format="{loader}"><{tag} type="relative">{place}</{tag}>
</ImageLoader><ViewSetups><ViewSetup><id>0</id><name>view</name><size>48 40 32</size>
<voxelSize><unit>um</unit><size>1 1 1</size></voxelSize></ViewSetup></ViewSetups>
<Timepoints type="range"><first>0</first><last>0</last></Timepoints></SequenceDescription>
</SpimData>"""


# Levels of equal values: of each 2³ voxels one is left, so that no level has others.


def doubled(coarse):
    fine = coarse
    for axis in range(3):
        fine = fine.repeat(2, axis=axis)
    return [fine, coarse]


def sparse():
    """A few bright balls in the dark."""
    grid = np.indices((16, 20, 24))
    volume = np.zeros((16, 20, 24), np.uint16)
    for place, value in (((5, 6, 7), 900), ((11, 14, 17), 3000)):
        far = np.linalg.norm(grid - np.reshape(place, (3, 1, 1, 1)), axis=0)
        volume[far < 3] = value
    return doubled(volume)


def solid():
    """Tissue up to the rim, nothing dark round it."""
    rng = np.random.default_rng(1)
    return doubled(rng.integers(2000, 4000, (16, 20, 24)).astype(np.uint16))


VOLUMES = {"sparse": sparse(), "solid": solid()}


# -- one writer a format -----------------------------------------------------------


def zarr_2(folder, levels):
    attributes = image_attributes("zyx", SCALES)
    return write_image(folder / "a.zarr", levels, attributes)


def zarr_3(folder, levels):
    attributes = image_attributes("zyx", SCALES, version="0.5")
    return write_image(folder / "a.zarr", levels, attributes, zarr_format=3)


def zarr_5d(folder, levels):
    """As many programs write a single volume: one time point, one channel."""
    scales = [[1, 1, *scale] for scale in SCALES]
    attributes = image_attributes("tczyx", scales)
    five = [level[None, None] for level in levels]
    return write_image(folder / "a.zarr", five, attributes)


def zarr_array(folder, levels):
    import zarr

    zarr.create_array(folder / "a.zarr", data=levels[0], chunks=(8, 16, 16))
    return folder / "a.zarr"


def n5_array(place, volume):
    metadata = {
        "dimensions": volume.shape[::-1],
        "blockSize": [16, 10, 8],
        "dataType": str(volume.dtype),
        "compression": {"type": "gzip"},
    }
    spec = {"driver": "n5", "kvstore": f"file://{place}/", "metadata": metadata}
    ts.open(spec, create=True).result().write(volume.T).result()


def n5(folder, levels):
    place = folder / "a.n5"
    for i, level in enumerate(levels):
        n5_array(place / f"s{i}", level)
    about = {"downsamplingFactors": [[1, 1, 1], [2, 2, 2]]}
    (place / "attributes.json").write_text(json.dumps(about))
    return place


def hdf5(folder, levels):
    with h5py.File(folder / "a.h5", "w") as file:
        for i, level in enumerate(levels):
            data = file.create_dataset(f"img/s{i}", data=level, chunks=(4, 10, 12))
            data.attrs["element_size_um"] = [1.0 * (i + 1)] * 3
    return folder / "a.h5"


def hdf5_dataset(folder, levels):
    with h5py.File(folder / "a.h5", "w") as file:
        file["volume"] = levels[0]
    return folder / "a.h5"


def imaris(folder, levels):
    def letters(value):
        return np.frombuffer(str(value).encode(), "S1")

    with h5py.File(folder / "a.ims", "w") as file:
        file.attrs["ImarisVersion"] = letters("5.5.0")
        file.attrs["DataSetDirectoryName"] = letters("DataSet")
        file.attrs["DataSetInfoDirectoryName"] = letters("DataSetInfo")
        for i, level in enumerate(levels):
            group = file.create_group(
                f"DataSet/ResolutionLevel {i}/TimePoint 0/Channel 0"
            )
            for name, n in zip("ZYX", level.shape, strict=True):
                group.attrs[f"ImageSize{name}"] = letters(n)
            group.create_dataset("Data", data=level, chunks=(4, 10, 12))
        image = file.create_group("DataSetInfo/Image")
        for i, n in enumerate(levels[0].shape[::-1]):
            image.attrs[f"ExtMin{i}"] = letters("0.0")
            image.attrs[f"ExtMax{i}"] = letters(f"{n:.1f}")
            image.attrs["XYZ"[i]] = letters(n)
        image.attrs["Unit"] = letters("um")
        file.create_group("DataSetInfo/Channel 0").attrs["Name"] = letters("(name)")
    return folder / "a.ims"


def tiff(folder, levels):
    tifffile.imwrite(folder / "a.tif", levels[0])
    return folder / "a.tif"


def imagej(folder, levels):
    about = {"axes": "ZYX", "unit": "um", "spacing": 1.0}
    tifffile.imwrite(folder / "a.tif", levels[0], imagej=True, metadata=about)
    return folder / "a.tif"


def ome_tiff(folder, levels):
    about = {"axes": "ZYX", "PhysicalSizeX": 1.0, "PhysicalSizeXUnit": "µm"}
    tifffile.imwrite(folder / "a.ome.tif", levels[0], metadata=about)
    return folder / "a.ome.tif"


def bdv_hdf5(folder, levels):
    with h5py.File(folder / "data.h5", "w") as file:
        file["s00/resolutions"] = np.array([[1.0, 1, 1], [2, 2, 2]])
        for i, level in enumerate(levels):
            file[f"t00000/s00/{i}/cells"] = level.view("i2")
    place = folder / "data.xml"
    place.write_text(XML.format(loader="bdv.hdf5", tag="hdf5", place="data.h5"))
    return place


def bdv_n5(folder, levels):
    setup = folder / "data.n5" / "setup0"
    for i, level in enumerate(levels):
        n5_array(setup / f"timepoint0/s{i}", level)
    about = {"downsamplingFactors": [[1, 1, 1], [2, 2, 2]], "dataType": "uint16"}
    (setup / "attributes.json").write_text(json.dumps(about))
    place = folder / "data.xml"
    place.write_text(XML.format(loader="bdv.n5", tag="n5", place="data.n5"))
    return place


def precomputed(folder, levels, kind="image"):
    for i, level in enumerate(levels):
        whole = {"type": kind, "data_type": str(level.dtype), "num_channels": 1}
        spec = {
            "driver": "neuroglancer_precomputed",
            "kvstore": f"file://{folder}/pre/",
            "multiscale_metadata": whole,
            "scale_metadata": {
                "size": level.shape[::-1],
                "resolution": [2**i] * 3,
                "chunk_size": [16, 10, 8],
                "encoding": "raw",
            },
        }
        ts.open(spec, create=True).result().write(level.T[..., None]).result()
    return folder / "pre"


def array(_folder, levels):
    return levels[0]


def arrays(_folder, levels):
    return list(levels)


PYRAMIDS = [
    zarr_2,
    zarr_3,
    zarr_5d,
    n5,
    hdf5,
    imaris,
    bdv_hdf5,
    bdv_n5,
    precomputed,
    arrays,
]
"""Their contrast is that of the coarse level."""
FORMATS = [*PYRAMIDS, zarr_array, hdf5_dataset, tiff, imagej, ome_tiff, array]


def look_of(opened):
    ((levels, look, kind),) = open_layer_data(opened)
    return {"kind": kind, "dtype": levels[0].dtype, **{k: look.get(k) for k in LOOK}}


@pytest.mark.parametrize("name", VOLUMES)
@pytest.mark.parametrize("write", FORMATS, ids=lambda write: write.__name__)
def test_a_volume_looks_the_same_from_every_format(write, name, tmp_path):
    levels = VOLUMES[name]
    found = look_of(write(tmp_path, levels))
    same = levels if write in PYRAMIDS else levels[:1]
    usual = look_of(list(same))
    if write is bdv_hdf5:  # its voxels are signed
        found.pop("dtype"), usual.pop("dtype")
    assert found == usual


def test_what_fills_its_box_begins_translucent_and_the_rest_as_a_maximum():
    assert look_of(VOLUMES["sparse"][0])["rendering"] == "mip"
    assert look_of(VOLUMES["solid"][0])["rendering"] == "translucent"


@pytest.mark.parametrize(
    ("name", "mode"), [("sparse", "mip"), ("solid", "translucent")]
)
def test_a_window_that_a_file_states_does_not_change_the_mode(name, mode, tmp_path):
    window = {"start": 0, "end": 60_000, "min": 0, "max": 65_535}
    omero = {"channels": [{"label": "dye", "color": "FFFFFF", "window": window}]}
    attributes = image_attributes("zyx", SCALES, omero=omero)
    look = look_of(write_image(tmp_path / "a.zarr", VOLUMES[name], attributes))
    assert look["contrast_limits"] == (0, 60_000)
    assert look["rendering"] == mode


@pytest.mark.parametrize("name", VOLUMES)
def test_labels_are_labels_from_every_format_that_says_so(name, tmp_path):
    levels = [level.astype(np.uint32) for level in VOLUMES[name]]
    segmentation = open_layer_data(precomputed(tmp_path, levels, kind="segmentation"))
    image = image_attributes("zyx", SCALES)
    stored = write_image(tmp_path / "a.zarr" / "labels" / "cells", levels, image)
    attributes = json.loads((stored / ".zattrs").read_text())
    attributes["image-label"] = {"version": "0.4"}
    (stored / ".zattrs").write_text(json.dumps(attributes))
    found = [segmentation, open_layer_data(stored)]
    looks = []
    for ((_, look, kind),) in found:
        looks.append({"kind": kind, **{k: look.get(k) for k in (*LOOK, "colormap")}})
    assert looks[0] == looks[1]
    assert looks[0]["kind"] == "labels"
