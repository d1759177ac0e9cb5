"""Sources as they lie on disks, each with the targets that would destroy it."""

from __future__ import annotations

import json
import os
import shutil

import h5py
import numpy as np
import tensorstore as ts
import tifffile
import zarr

from brickfield.pyramid import write_pyramid
from brickfield.sources import from_arrays

SHAPE = (8, 16, 16)


def voxels(seed=1):
    return np.random.default_rng(seed).integers(1, 200, SHAPE, dtype=np.uint8)


def image(path, *, version="0.5", levels=2):
    """Write an OME-Zarr image of ours, chunks of 8³, factors of 2."""
    write_pyramid(
        from_arrays(voxels()),
        path,
        version=version,
        chunk_shape=8,
        levels=levels,
        factors=2,
        compressor="none",
    )
    return path


def h5(path, **more):
    with h5py.File(path, "w") as file:
        file["img/s0"] = voxels()
        for name, link in more.items():
            file[name] = link
    return path


def chunk(folder):
    """Return one chunk file of level 0."""
    files = sorted(p for p in (folder / "0").rglob("*") if p.is_file())
    return next(p for p in files if p.name == "1")


def bdv(folder, data, loader):
    xml = f"""<?xml version="1.0"?><SpimData version="0.2">
    <BasePath type="relative">.</BasePath><SequenceDescription>
    <ImageLoader format="{loader}">
    <{loader[4:]} type="relative">{data}</{loader[4:]}></ImageLoader>
    <ViewSetups><ViewSetup><id>0</id><name>a</name>
    <size>{SHAPE[2]} {SHAPE[1]} {SHAPE[0]}</size>
    <voxelSize><unit>um</unit><size>1 1 1</size></voxelSize>
    </ViewSetup></ViewSetups>
    <Timepoints type="range"><first>0</first><last>0</last></Timepoints>
    </SequenceDescription></SpimData>"""
    path = folder / "data.xml"
    path.write_text(xml)
    return path


def driver(path, kind, **metadata):
    """Write an array of a tensorstore driver, x y z."""
    spec = {"driver": kind, "kvstore": f"file://{path}/", "create": True, **metadata}
    array = ts.open(spec).result()
    data = voxels().T
    array.write(data[..., None] if kind != "n5" else data).result()
    return path


def n5(path):
    meta = {"dimensions": SHAPE[::-1], "blockSize": [8, 8, 8], "dataType": "uint8"}
    meta["compression"] = {"type": "raw"}
    return driver(path, "n5", metadata=meta)


def precomputed(path):
    whole = {"type": "image", "data_type": "uint8", "num_channels": 1}
    scale = {"size": SHAPE[::-1], "resolution": [1, 1, 1], "encoding": "raw"}
    scale["chunk_size"] = [8, 8, 8]
    return driver(
        path,
        "neuroglancer_precomputed",
        multiscale_metadata=whole,
        scale_metadata=scale,
    )


# Each function writes below a folder and returns the source and the targets.


def ome_zarr(tmp):
    x = image(tmp / "x.zarr")
    (tmp / "link").symlink_to(x / "1")
    (tmp / "whole").symlink_to(x)
    inside = [x / "0", x / "1", x / "0" / "c", x / "new", x / "1" / "deep" / "er"]
    spelled = [tmp / "x.zarr" / ".." / "x.zarr" / "0", tmp / "whole" / "1"]
    return x, [*inside, *spelled, tmp / "link", tmp / "link" / "new"]


def ome_zarr_2(tmp):
    x = image(tmp / "x.zarr", version="0.4")
    return x, [x / "0", x / "1", x / "new", tmp]


def one_array(tmp):
    x = image(tmp / "x.zarr")
    return x / "0", [x, x / "0", x / "0" / "c", x / "new"]


def zarr_array(tmp):
    x = tmp / "a.zarr"
    zarr.create_array(str(x), data=voxels(), chunks=(8, 8, 8))
    return x, [x, x / "c", x / "new"]


def h5_in_target(tmp):
    x = image(tmp / "x.zarr")
    h5(x / "raw.h5")
    return f"{x / 'raw.h5'}:/img/s0", [x, tmp]


def linked_level(tmp):
    x, t = image(tmp / "x.zarr"), image(tmp / "t.zarr")
    shutil.rmtree(x / "0")
    (x / "0").symlink_to(t / "0")
    return x, [t, t / "0", t / "0" / "c", t / "0" / "new"]


def linked_chunk(tmp):
    x, t = image(tmp / "x.zarr"), image(tmp / "t.zarr")
    name = chunk(t).relative_to(t)
    (x / name).unlink()
    (x / name).symlink_to(t / name)
    return x, [t]


def hard_linked_chunk(tmp):
    x, t = image(tmp / "x.zarr"), image(tmp / "t.zarr")
    name = chunk(x).relative_to(x)
    (t / name).unlink()
    os.link(x / name, t / name)
    return x, [t]


def hard_linked_file(tmp):
    x, t = h5(tmp / "x.h5"), image(tmp / "t.zarr")
    name = chunk(t).relative_to(t)
    (t / name).unlink()
    os.link(x, t / name)
    return f"{x}:/img/s0", [t]


def virtual_dataset(tmp):
    t = image(tmp / "t.zarr")
    h5(t / "part.h5")
    layout = h5py.VirtualLayout(SHAPE, np.uint8)
    layout[:] = h5py.VirtualSource("t.zarr/part.h5", "img/s0", SHAPE)
    with h5py.File(tmp / "master.h5", "w") as file:
        file.create_virtual_dataset("v", layout)
    return f"{tmp / 'master.h5'}:/v", [t, tmp]


def numbered_virtual_dataset(tmp):
    """The parts are named by a pattern with a counter, and by another master."""
    t = image(tmp / "t.zarr")
    for i in range(2):
        h5(t / f"part{i}.h5")
    layout = h5py.VirtualLayout((2, *SHAPE), np.uint8)
    for i in range(2):
        layout[i] = h5py.VirtualSource(f"t.zarr/part{i}.h5", "img/s0", SHAPE)
    with h5py.File(tmp / "inner.h5", "w") as file:
        file.create_virtual_dataset("v", layout)
    outer = h5py.VirtualLayout((2, *SHAPE), np.uint8)
    outer[:] = h5py.VirtualSource("inner.h5", "v", (2, *SHAPE))
    with h5py.File(tmp / "master.h5", "w") as file:
        file.create_virtual_dataset("v", outer)
    return f"{tmp / 'master.h5'}:/v", [t]


def external_link(tmp):
    t = image(tmp / "t.zarr")
    h5(t / "part.h5")
    link = h5py.ExternalLink("t.zarr/part.h5", "/img/s0")
    h5(tmp / "master.h5", other=link)
    return f"{tmp / 'master.h5'}:/img/s0", [t]


def external_storage(tmp):
    t = image(tmp / "t.zarr")
    voxels().tofile(t / "raw.bin")
    raw = [(str(t / "raw.bin"), 0, h5py.h5f.UNLIMITED)]
    with h5py.File(tmp / "master.h5", "w") as file:
        file.create_dataset("e", SHAPE, np.uint8, external=raw)
    return f"{tmp / 'master.h5'}:/e", [t]


def bdv_hdf5(tmp):
    t = image(tmp / "t.zarr")
    with h5py.File(t / "d.h5", "w") as file:
        file["t00000/s00/0/cells"] = voxels().astype(np.int16)
        file["s00/resolutions"] = np.ones((1, 3))
        file["s00/subdivisions"] = np.full((1, 3), 8)
    return bdv(tmp, "t.zarr/d.h5", "bdv.hdf5"), [t, tmp]


def bdv_n5(tmp):
    t = image(tmp / "t.zarr")
    n5(t / "d.n5" / "setup0" / "timepoint0" / "s0")
    return bdv(tmp, "t.zarr/d.n5", "bdv.n5"), [t, t / "d.n5", t / "d.n5" / "new"]


def n5_container(tmp):
    x = n5(tmp / "x.n5")
    return x, [x, x / "0", x / "new"]


def precomputed_volume(tmp):
    x = precomputed(tmp / "x")
    key = json.loads((x / "info").read_text())["scales"][0]["key"]
    return f"precomputed://{x}", [x, x / key, x / "new"]


def tiff(tmp):
    t = image(tmp / "t.zarr")
    tifffile.imwrite(t / "x.tif", voxels())
    return t / "x.tif", [t]


def ome_tiff_of_two_files(tmp):
    t = image(tmp / "t.zarr")
    uids = ["urn:uuid:" + f"{i}" * 8 + "-1111-1111-1111-111111111111" for i in (1, 2)]
    names = ["a.ome.tif", "t.zarr/b.ome.tif"]
    datas = "".join(
        f'<TiffData FirstZ="{i}" IFD="0" PlaneCount="1"><UUID FileName="{n}">{u}</UUID>'
        "</TiffData>"
        for i, (n, u) in enumerate(zip(names, uids, strict=True))
    )
    for name, uid in zip(names, uids, strict=True):
        xml = (
            '<?xml version="1.0" encoding="UTF-8"?><OME'
            ' xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"'
            f' UUID="{uid}"><Image ID="Image:0"><Pixels ID="Pixels:0"'
            ' DimensionOrder="XYZCT" Type="uint8" SizeX="16" SizeY="16" SizeZ="2"'
            ' SizeC="1" SizeT="1"><Channel ID="Channel:0" SamplesPerPixel="1"/>'
            f"{datas}</Pixels></Image></OME>"
        )
        tifffile.imwrite(tmp / name, voxels()[0], description=xml, metadata=None)
    return tmp / "a.ome.tif", [t]


def mapped_array(tmp):
    t = image(tmp / "t.zarr")
    np.save(t / "x.npy", voxels())
    return from_arrays(np.load(t / "x.npy", mmap_mode="r")[:4]), [t]


def dask_of_h5py(tmp):
    import dask.array as da

    t = image(tmp / "t.zarr")
    array = da.from_array(h5py.File(h5(t / "x.h5"), "r")["img/s0"], chunks=8) + 1
    return from_arrays(array), [t]


def dask_of_named_files(tmp):
    """Tasks that open a file by its name, as readers of stacks make them."""
    import dask
    import dask.array as da

    t = image(tmp / "t.zarr")
    np.save(t / "x.npy", voxels())
    planes = dask.delayed(np.load)(str(t / "x.npy"))
    return from_arrays(da.from_delayed(planes, SHAPE, np.uint8)), [t]


def array_of_zarr_python(tmp):
    t = image(tmp / "t.zarr")
    return from_arrays(zarr.open_group(t, mode="r")["0"]), [t, t / "0"]


def array_of_h5py(tmp):
    t = image(tmp / "t.zarr")
    return from_arrays(h5py.File(h5(t / "x.h5"), "r")["img/s0"]), [t]


LAYOUTS = [
    ome_zarr,
    ome_zarr_2,
    one_array,
    zarr_array,
    h5_in_target,
    linked_level,
    linked_chunk,
    hard_linked_chunk,
    hard_linked_file,
    virtual_dataset,
    numbered_virtual_dataset,
    external_link,
    external_storage,
    bdv_hdf5,
    bdv_n5,
    n5_container,
    precomputed_volume,
    tiff,
    ome_tiff_of_two_files,
    mapped_array,
    dask_of_h5py,
    dask_of_named_files,
    array_of_zarr_python,
    array_of_h5py,
]
