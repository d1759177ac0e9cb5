"""One small valid image of every format that is read, to be mutated."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import tensorstore as ts

from brickfield.testing.zarr_stores import image_attributes, ramp, write_image

FINE = ramp((12, 20, 28))
LEVELS = [FINE, FINE[::2, ::2, ::2]]
SCALES = [[1, 1, 1], [2, 2, 2]]


def _omero() -> dict:
    window = {"start": 0, "end": 120, "min": 0, "max": 255}
    return {"channels": [{"label": "dye", "color": "00ff00", "window": window}]}


def zarr_2(folder: Path) -> str:
    attributes = image_attributes("zyx", SCALES, omero=_omero())
    return str(write_image(folder / "a.zarr", LEVELS, attributes))


def zarr_0_1(folder: Path) -> str:
    """Before 0.3 there were no names of axes: five of them."""
    levels = [level[None, None] for level in LEVELS]
    datasets = [{"path": "0"}, {"path": "1"}]
    attributes = {"multiscales": [{"version": "0.1", "datasets": datasets}]}
    return str(write_image(folder / "a.zarr", levels, attributes))


def zarr_0_3(folder: Path) -> str:
    datasets = [{"path": "0"}, {"path": "1"}]
    image = {"version": "0.3", "axes": ["z", "y", "x"], "datasets": datasets}
    return str(write_image(folder / "a.zarr", LEVELS, {"multiscales": [image]}))


def zarr_3(folder: Path) -> str:
    attributes = image_attributes("zyx", SCALES, version="0.5", omero=_omero())
    return str(write_image(folder / "a.zarr", LEVELS, attributes, zarr_format=3))


def zarr_sharded(folder: Path) -> str:
    options = {"chunks": (4, 5, 7), "shards": (12, 20, 28)}
    return str(
        write_image(folder / "a.zarr", LEVELS[:1], zarr_format=3, **options)  # type: ignore[arg-type]
    )


def zarr_0_6(folder: Path) -> str:
    space = {"name": "physical", "axes": [_axis(a) for a in "zyx"]}
    datasets = [
        {
            "path": str(i),
            "coordinateTransformations": [
                {
                    "type": "scale",
                    "scale": scale,
                    "input": {"path": str(i)},
                    "output": {"name": "physical"},
                }
            ],
        }
        for i, scale in enumerate(SCALES)
    ]
    image = {"name": "image", "coordinateSystems": [space], "datasets": datasets}
    attributes = {"ome": {"version": "0.6", "multiscales": [image]}}
    return str(write_image(folder / "a.zarr", LEVELS, attributes, zarr_format=3))


def _axis(name: str) -> dict:
    return {"name": name, "type": "space", "unit": "micrometer"}


def n5(folder: Path) -> str:
    place = folder / "a.n5"
    for i, level in enumerate(LEVELS):
        _n5_array(place / f"s{i}", level)
    about = {
        "pixelResolution": {"unit": "nm", "dimensions": [4, 5, 40]},
        "downsamplingFactors": [[1, 1, 1], [2, 2, 2]],
    }
    (place / "attributes.json").write_text(json.dumps(about))
    return str(place)


def _n5_array(place: Path, volume: np.ndarray) -> None:
    metadata = {
        "dimensions": volume.shape[::-1],
        "blockSize": [16, 10, 8],
        "dataType": str(volume.dtype),
        "compression": {"type": "gzip"},
    }
    store = {"driver": "file", "path": f"{place}/"}
    spec = {"driver": "n5", "kvstore": store, "metadata": metadata}
    ts.open(spec, create=True).result().write(volume.T).result()


def precomputed(folder: Path) -> str:
    for level, volume in enumerate(LEVELS):
        f = 1 << level
        kind = {"type": "image", "data_type": "uint16", "num_channels": 1}
        spec = {
            "driver": "neuroglancer_precomputed",
            "kvstore": {"driver": "file", "path": f"{folder}/pre/"},
            "multiscale_metadata": kind,
            "scale_metadata": {
                "size": volume.shape[::-1],
                "resolution": [4 * f, 5 * f, 40 * f],
                "chunk_size": [16, 10, 8],
                "encoding": "raw",
            },
        }
        ts.open(spec, create=True).result().write(volume.T[..., None]).result()
    return str(folder / "pre")


def hdf5(folder: Path) -> str:
    place = folder / "a.h5"
    with h5py.File(place, "w") as file:
        for i, level in enumerate(LEVELS):
            data = file.create_dataset(
                f"img/s{i}", data=level, chunks=(4, 10, 14), compression="gzip"
            )
            data.attrs["element_size_um"] = [2.0 * (i + 1)] * 3
    return str(place)


def emd(folder: Path) -> str:
    place = folder / "a.emd"
    with h5py.File(place, "w") as file:
        file.attrs["version_major"], file.attrs["version_minor"] = 0, 2
        group = file.create_group("data/image")
        group.attrs["emd_group_type"] = 1
        group.create_dataset("data", data=FINE)
        for i, n in enumerate(FINE.shape, 1):
            axis = group.create_dataset(f"dim{i}", data=np.arange(n) * 0.5)
            axis.attrs["name"], axis.attrs["units"] = "zyx"[i - 1], "[n_m]"
    return str(place)


def _letters(text: str) -> np.ndarray:
    return np.frombuffer(text.encode(), "S1")


def imaris(folder: Path) -> str:
    place = folder / "a.ims"
    with h5py.File(place, "w") as file:
        file.attrs["ImarisVersion"] = _letters("5.5.0")
        file.attrs["DataSetDirectoryName"] = _letters("DataSet")
        file.attrs["DataSetInfoDirectoryName"] = _letters("DataSetInfo")
        for i, level in enumerate(LEVELS):
            group = file.create_group(
                f"DataSet/ResolutionLevel {i}/TimePoint 0/Channel 0"
            )
            for name, n in zip("ZYX", level.shape, strict=True):
                group.attrs[f"ImageSize{name}"] = _letters(str(n))
            group.create_dataset("Data", data=level, chunks=(2, 5, 7))
        image = file.create_group("DataSetInfo/Image")
        for i, n in enumerate(FINE.shape[::-1]):
            image.attrs[f"ExtMin{i}"] = _letters("0.000")
            image.attrs[f"ExtMax{i}"] = _letters(f"{n:.3f}")
            image.attrs["XYZ"[i]] = _letters(str(n))
        image.attrs["Unit"] = _letters("um")
        channel = file.create_group("DataSetInfo/Channel 0")
        channel.attrs["Color"] = _letters("1.000 0.500 0.000")
        channel.attrs["ColorRange"] = _letters("100.000 900.000")
    return str(place)


XML = """<SpimData version="0.2"><BasePath type="relative">.</BasePath>
<SequenceDescription><ImageLoader format="{loader}"><{tag} type="relative">{place}</{tag}>
</ImageLoader><ViewSetups><ViewSetup><id>0</id><name>view</name><size>28 20 12</size>
<voxelSize><unit>um</unit><size>2 3 4</size></voxelSize></ViewSetup></ViewSetups>
<Timepoints type="range"><first>0</first><last>0</last></Timepoints></SequenceDescription>
<ViewRegistrations><ViewRegistration timepoint="0" setup="0"><ViewTransform type="affine">
<affine>2 0 0 10 0 3 0 20 0 0 4 30</affine></ViewTransform></ViewRegistration>
</ViewRegistrations></SpimData>"""


def bdv_hdf5(folder: Path) -> str:
    with h5py.File(folder / "data.h5", "w") as file:
        file["s00/resolutions"] = np.array([[1.0, 1, 1], [2, 2, 2]])
        for i, level in enumerate(LEVELS):
            file.create_dataset(
                f"t00000/s00/{i}/cells", data=level.view("i2"), chunks=(4, 10, 14)
            )
    place = folder / "data.xml"
    place.write_text(XML.format(loader="bdv.hdf5", tag="hdf5", place="data.h5"))
    return str(place)


def bdv_n5(folder: Path) -> str:
    setup = folder / "data.n5" / "setup0"
    for i, level in enumerate(LEVELS):
        _n5_array(setup / f"timepoint0/s{i}", level)
    about = {"downsamplingFactors": [[1, 1, 1], [2, 2, 2]], "dataType": "uint16"}
    (setup / "attributes.json").write_text(json.dumps(about))
    place = folder / "data.xml"
    place.write_text(XML.format(loader="bdv.n5", tag="n5", place="data.n5"))
    return str(place)


def tiff(folder: Path) -> str:
    import tifffile

    place = folder / "a.tif"
    about = {"axes": "ZYX", "unit": "um", "spacing": 2.0}
    tifffile.imwrite(place, FINE, imagej=True, metadata=about, resolution=(2, 2))
    return str(place)


def ome_tiff(folder: Path) -> str:
    import tifffile

    place = folder / "a.ome.tif"
    about = {"axes": "ZYX", "PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "µm"}
    tifffile.imwrite(place, FINE, tile=(16, 16), metadata=about)
    return str(place)


FORMATS: dict[str, Callable[[Path], str]] = {
    make.__name__: make
    for make in (
        zarr_2,
        zarr_0_1,
        zarr_0_3,
        zarr_3,
        zarr_sharded,
        zarr_0_6,
        n5,
        precomputed,
        hdf5,
        emd,
        imaris,
        bdv_hdf5,
        bdv_n5,
        tiff,
        ome_tiff,
    )
}
