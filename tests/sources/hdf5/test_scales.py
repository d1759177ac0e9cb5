"""Voxel sizes that programs write beside HDF5 datasets are read."""

from __future__ import annotations

import json

import h5py
import numpy as np
import pytest

from brickfield.sources.hdf5.scales import geometry_of


@pytest.fixture
def file(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as opened:
        yield opened


def _names(geometry):
    return "".join(a.name for a in geometry.axes)


def test_emd_dimension_vectors_give_step_origin_name_and_unit(file):
    group = file.create_group("data/image")
    group["data"] = np.zeros((4, 5, 6))
    for i, name in enumerate("zyx"):
        vector = group.create_dataset(
            f"dim{i + 1}", data=10 + np.arange(4 + i) * (i + 1.0)
        )
        vector.attrs["name"], vector.attrs["units"] = name, "[n_m]"
    found = geometry_of(group["data"])
    assert _names(found) == "zyx"
    assert found.voxel_size == (1, 2, 3)
    assert found.translation == (10, 10, 10)
    assert [a.unit for a in found.axes] == ["nm"] * 3


def test_a_scan_of_patterns_shows_the_patterns(file):
    group = file.create_group("datacube")
    group["data"] = np.zeros((2, 3, 4, 5))
    for i, name in enumerate(["R_x", "R_y", "Q_x", "Q_y"]):
        group.create_dataset(f"dim{i + 1}", data=[0, 0.5]).attrs["name"] = name
    found = geometry_of(group["data"])
    assert [a.kind for a in found.axes] == ["other", "other", "space", "space"]
    assert found.voxel_size == (0.5,) * 4


@pytest.mark.parametrize(
    ("path", "kind", "names"),
    [
        ("version_1/data/datacubes/datacube_000", None, "scan_y scan_x y x"),
        ("data/scan", 1, "scan_y scan_x y x"),
        ("data/other", None, "c z y x"),
        ("data/other", 2, "c z y x"),
    ],
)
def test_four_axes_that_emd_names_no_further_are_a_scan(file, path, kind, names):
    group = file.create_group(path)
    if kind is not None:
        group.attrs["emd_group_type"] = kind
    group["data"] = np.zeros((2, 3, 4, 5))
    found = geometry_of(group["data"])
    assert [a.name for a in found.axes] == names.split()


def test_ilastik_axis_tags_name_the_axes(file):
    dataset = file.create_dataset("a", (2, 3, 4, 5), "f4")
    tags = [
        {"key": k, "resolution": r} for k, r in zip("zyxc", (3, 2, 1, 0), strict=True)
    ]
    dataset.attrs["axistags"] = json.dumps({"axes": tags})
    found = geometry_of(dataset)
    assert _names(found) == "zyxc"
    assert found.voxel_size == (3, 2, 1, 1)


def test_dimension_labels_and_scales_are_read(file):
    dataset = file.create_dataset("a", (4, 5, 6), "f4")
    for i, label in enumerate("yxz"):
        dataset.dims[i].label = label
    scale = file.create_dataset("depth", data=np.arange(6) * 2.5 + 1)
    scale.make_scale()
    dataset.dims[2].attach_scale(scale)
    found = geometry_of(dataset)
    assert _names(found) == "yxz"
    assert found.voxel_size == (1, 1, 2.5)
    assert found.translation == (0, 0, 1)


def test_element_size_um_is_z_y_x_in_micrometres(file):
    dataset = file.create_dataset("a", (2, 4, 5, 6), "f4")
    dataset.attrs["element_size_um"] = [3.0, 2.0, 1.0]
    found = geometry_of(dataset)
    assert found.voxel_size == (1, 3, 2, 1)
    assert [a.unit for a in found.axes] == [None] + ["micrometer"] * 3


def test_matlab_arrays_are_seen_column_by_column(file):
    dataset = file.create_dataset("a", (4, 5, 6), "f4")
    dataset.attrs["MATLAB_class"] = np.bytes_("double")
    assert _names(geometry_of(dataset)) == "zxy"


def test_velox_images_have_their_frames_last(file):
    dataset = file.create_dataset("Data/Image/0123abcd/Data", (64, 64, 9), "u2")
    assert _names(geometry_of(dataset)) == "yxt"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("axistags", "no json"),
        ("axistags", json.dumps({"axes": [{"key": "x"}]})),
        ("element_size_um", [0.0, 1.0, 1.0]),
        ("element_size_um", "text"),
        ("resolution", [1.0, 2.0]),
    ],
)
def test_unusable_notes_leave_index_units(file, name, value):
    dataset = file.create_dataset("a", (4, 5, 6), "f4")
    dataset.attrs[name] = value
    found = geometry_of(dataset)
    assert (found.voxel_size, found.translation) == ((1, 1, 1), (0, 0, 0))
