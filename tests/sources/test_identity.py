"""The identity of a store covers its chunks."""

import os

import h5py
import numpy as np
import pytest

from brickfield.sources.identity import MOST_FILES, data_identity
from brickfield.sources.open import open_source
from brickfield.store import ChunkedImageStore, open_store
from brickfield.testing.zarr_stores import ramp, write_image

OLD, NEW = ramp((12, 14, 16)), ramp((12, 14, 16), seed=1)


def write_zarr(folder, data):
    return write_image(folder / "a.zarr", [data], compressors=None)


def write_n5(folder, data):
    import json
    import struct

    place = folder / "a.n5" / "s0"
    (place / "0" / "0").mkdir(parents=True, exist_ok=True)
    shape = list(data.shape[::-1])
    about = {"dimensions": shape, "blockSize": shape, "dataType": "uint16"}
    (place / "attributes.json").write_text(
        json.dumps({**about, "compression": {"type": "raw"}})
    )
    head = struct.pack(">HHIII", 0, 3, *shape)
    (place / "0" / "0" / "0").write_bytes(head + data.astype(">u2").tobytes())
    return folder / "a.n5"


def write_precomputed(folder, data):
    import json

    x, y, z = data.shape[::-1]
    (folder / "pre" / "1").mkdir(parents=True, exist_ok=True)
    scale = {
        "key": "1",
        "size": [x, y, z],
        "resolution": [1, 1, 1],
        "chunk_sizes": [[x, y, z]],
        "encoding": "raw",
        "voxel_offset": [0, 0, 0],
    }
    about = {"type": "image", "data_type": "uint16", "num_channels": 1}
    (folder / "pre" / "info").write_text(json.dumps({**about, "scales": [scale]}))
    (folder / "pre" / "1" / f"0-{x}_0-{y}_0-{z}").write_bytes(data.tobytes())
    return folder / "pre"


def write_bdv(folder, data):
    with h5py.File(folder / "new.h5", "w") as file:
        file["s00/resolutions"] = np.ones((1, 3))
        file["s00/subdivisions"] = np.full((1, 3), 8)
        file.create_dataset("t00000/s00/0/cells", data=data.view("i2"), chunks=(8,) * 3)
    # A file that is open cannot be written over by the same process.
    (folder / "new.h5").replace(folder / "a.h5")
    xml = folder / "a.xml"
    if not xml.exists():
        xml.write_text(
            '<SpimData version="0.2"><BasePath type="relative">.</BasePath>'
            '<SequenceDescription><ImageLoader format="bdv.hdf5"><hdf5 type="relative">'
            "a.h5</hdf5></ImageLoader><ViewSetups><ViewSetup><id>0</id>"
            "<size>16 14 12</size></ViewSetup></ViewSetups><Timepoints type='range'>"
            "<first>0</first><last>0</last></Timepoints></SequenceDescription>"
            "<ViewRegistrations/></SpimData>"
        )
    return xml


def voxels(store):
    """Read through the cache, as pictures do."""
    from brickfield.store import LazyLevel

    return np.squeeze(np.asarray(LazyLevel(store, 0)))


FORMATS = [write_zarr, write_n5, write_precomputed, write_bdv]


@pytest.mark.parametrize("write", FORMATS)
def test_a_store_opened_again_after_its_chunks_were_rewritten_shows_the_new_voxels(
    tmp_path, write
):
    path = write(tmp_path, OLD)
    with open_store(path) as store:
        np.testing.assert_array_equal(voxels(store), OLD)
    write(tmp_path, NEW)
    with open_store(path) as store:
        np.testing.assert_array_equal(voxels(store), NEW)


@pytest.mark.parametrize("write", FORMATS)
def test_a_store_that_did_not_change_has_the_same_identity(tmp_path, write):
    path = write(tmp_path, OLD)
    assert open_source(path).source_id == open_source(path).source_id


@pytest.mark.parametrize("write", FORMATS)
def test_reload_reads_the_new_voxels_of_an_open_store(tmp_path, write):
    path = write(tmp_path, OLD)
    with open_store(path) as store:
        np.testing.assert_array_equal(voxels(store), OLD)
        write(tmp_path, NEW)
        told = []
        store.reloaded.connect(lambda: told.append(store.data_version.value))
        store.reload()
        np.testing.assert_array_equal(voxels(store), NEW)
        assert told == [1]


def test_a_chunk_written_over_in_place_with_its_old_time_changes_the_identity(tmp_path):
    """Size, time, inode and names count: here it is the size."""
    path = write_zarr(tmp_path, OLD)
    before = data_identity(path)
    chunk = path / "0" / "0" / "0" / "0"
    about = chunk.stat()
    chunk.write_bytes(b"short")
    os.utime(chunk, ns=(about.st_atime_ns, about.st_mtime_ns))
    assert data_identity(path) != before


def test_a_chunk_taken_away_or_added_changes_the_identity(tmp_path):
    path = write_zarr(tmp_path, OLD)
    before = data_identity(path)
    chunk = path / "0" / "0" / "0" / "0"
    raw = chunk.read_bytes()
    chunk.unlink()
    without = data_identity(path)
    chunk.write_bytes(raw)
    assert len({before, without, data_identity(path)}) == 3


def test_of_a_large_store_only_so_many_files_are_looked_at(tmp_path, monkeypatch):
    for i in range(70):
        folder = tmp_path / str(i)
        folder.mkdir()
        for j in range(70):
            (folder / str(j)).touch()
    looked = []
    real = os.scandir
    monkeypatch.setattr(os, "scandir", lambda p: looked.append(p) or real(p))
    data_identity(tmp_path)
    assert len(looked) == 71, "every folder's own time counts"
    assert MOST_FILES < 70 * 70


def test_an_array_in_memory_is_read_again(tmp_path):
    data = OLD.copy()
    with open_store(data) as store:
        np.testing.assert_array_equal(voxels(store), OLD)
        data[:] = NEW
        store.reload()
        np.testing.assert_array_equal(voxels(store), NEW)
        assert isinstance(store, ChunkedImageStore)
