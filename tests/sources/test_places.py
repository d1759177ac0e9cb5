"""A source tells every file that it reads."""

from __future__ import annotations

import h5py
import numpy as np

from brickfield.sources.array_libraries.source import from_arrays
from brickfield.sources.hdf5.places import files_of
from brickfield.sources.open import open_source
from brickfield.sources.places import local_places, place_of_uri, places_of
from brickfield.sources.preview_level import with_coarse_level


def test_an_address_is_told_as_text(tmp_path):
    assert place_of_uri("https://host/a.zarr") == "https://host/a.zarr"
    assert place_of_uri("memory:array") is None
    assert place_of_uri(f"file://{tmp_path}/a%20b") == tmp_path / "a b"


def test_a_map_of_a_file_tells_it_also_through_views(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, np.zeros((4, 8, 8), np.uint8))
    mapped = np.load(path, mmap_mode="r")
    for array in (mapped, mapped[1:3], mapped[:, ::2], np.asarray(mapped)[1:]):
        assert from_arrays(array).places() == (path,)


def test_hdf5_files_that_lead_to_each_other_are_told_once(tmp_path):
    """Links in a circle end; a file that is not there yet is told, too."""
    for name, other in (("a", "b"), ("b", "a")):
        with h5py.File(tmp_path / f"{name}.h5", "w") as file:
            file["v"] = np.zeros((4, 4, 4))
            file["link"] = h5py.ExternalLink(f"{other}.h5", "/v")
            file["gone"] = h5py.ExternalLink("gone.h5", "/v")
    with h5py.File(tmp_path / "a.h5", "r") as file:
        found = {p.name for p in files_of(file["v"])}
    assert found == {"a.h5", "b.h5", "gone.h5"}


def test_a_level_that_is_sampled_reads_what_lies_below_it(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, np.zeros((4, 300, 300), np.uint8))
    below = from_arrays(np.load(path, mmap_mode="r"))
    assert places_of(with_coarse_level(below)) == (path,)


def test_a_folder_that_only_holds_arrays_is_not_read_as_a_whole(tmp_path):
    """What is written beside the arrays of a plain folder destroys nothing."""
    import zarr

    zarr.create_array(str(tmp_path / "a"), data=np.zeros((8, 8, 8), np.uint8))
    with_folder = open_source(tmp_path)
    assert local_places(with_folder) == (tmp_path / "a",)
    with_folder.close()


def test_a_zip_file_is_the_place_of_what_lies_in_it(tmp_path):
    import zarr

    path = tmp_path / "a.zarr.zip"
    with zarr.storage.ZipStore(path, mode="w") as store:
        zarr.create_array(store, data=np.zeros((8, 8, 8), np.uint8))
    source = open_source(path)
    assert set(source.places()) == {path}
    source.close()
