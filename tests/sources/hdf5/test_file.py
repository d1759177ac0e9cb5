"""Opening HDF5 files: every refusal is one sentence."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from brickfield.errors import StoreFormatError, StoreNotFoundError
from brickfield.sources.hdf5.file import (
    closing_on_error,
    has_signature,
    list_datasets,
    open_file,
    split_uri,
    text_attribute,
    vector_attribute,
)


@pytest.mark.parametrize(
    ("uri", "name", "inside"),
    [
        ("a.h5", "a.h5", None),
        ("a.h5:/b/c", "a.h5", "/b/c"),
        ("a.h5::b/c", "a.h5", "b/c"),
        ("file:///d/a.h5:/b", "a.h5", "/b"),
    ],
)
def test_a_path_inside_stands_behind_a_colon(uri, name, inside):
    path, found = split_uri(uri)
    assert (path.name, found) == (name, inside)


def test_a_file_whose_name_has_a_colon_is_that_file(tmp_path):
    path = tmp_path / "a::b.h5"
    path.write_bytes(b"")
    assert split_uri(str(path)) == (path, None)


def test_no_file_a_folder_and_no_hdf5_are_told_apart(tmp_path):
    with pytest.raises(StoreNotFoundError, match="found nothing"):
        open_file(tmp_path / "none.h5")
    with pytest.raises(StoreNotFoundError, match="a folder"):
        open_file(tmp_path)
    (tmp_path / "a.h5").write_bytes(b"plain text")
    with pytest.raises(StoreFormatError, match="no HDF5 signature"):
        open_file(tmp_path / "a.h5")


def test_a_truncated_file_is_named_so(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["a"] = np.ones((64, 64, 64))
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(StoreFormatError, match="truncated"):
        open_file(path)


def test_a_signature_behind_a_user_block_is_found(tmp_path):
    path = tmp_path / "a.mat"
    with h5py.File(path, "w", userblock_size=512):
        pass
    assert has_signature(path)
    assert not has_signature(tmp_path / "none")


def test_only_drawable_datasets_are_listed(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["deep/er/image"] = np.ones((3, 4))
        file["line"] = np.ones(5)
        file["text"] = np.array([["a", "b"]], dtype="S1")
        file["empty"] = np.ones((0, 4))
        file["complex"] = np.ones((2, 2), complex)
        file["nothing"] = h5py.Empty("f4")
        assert [(d.path, d.size) for d in list_datasets(file)] == [
            ("/deep/er/image", 12)
        ]


@pytest.mark.parametrize(
    "value",
    ["12.5", b"12.5", np.frombuffer(b"12.5", "S1"), np.frombuffer(b"12.5\0", "S1")],
)
def test_text_is_read_from_every_kind_of_string(tmp_path, value):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.attrs["a"] = value
        assert text_attribute(file.attrs, "a") == "12.5"
        assert text_attribute(file.attrs, "b") is None
        assert vector_attribute(file.attrs, "b") is None


@pytest.mark.parametrize("error", [RuntimeError, KeyError, OSError, ValueError])
def test_an_error_of_the_library_closes_the_file_and_is_one_sentence(tmp_path, error):
    with h5py.File(tmp_path / "a.h5", "w"):
        pass
    file = open_file(tmp_path / "a.h5")
    opened = file.file
    with pytest.raises(StoreFormatError, match="damaged"), closing_on_error(file):
        raise error("odd")
    assert not opened
    with pytest.raises(ValueError, match="closed"):
        _ = file.file
