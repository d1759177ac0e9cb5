"""Conventions for sizes and factors of N5 levels, all turned to z, y, x."""

from __future__ import annotations

import pytest

from brickfield.sources.n5.scales import LevelAttributes, read_scales


def _levels(own, group=None, sizes=((40, 50, 60), (20, 25, 30))):
    return [
        LevelAttributes(f"s{i}", i, {"dimensions": list(size), **own[i]}, group or {})
        for i, size in enumerate(sizes)
    ]


def test_cosem_transforms_count_before_all_else():
    own = [
        {
            "transform": {
                "axes": ["z", "y", "x"],
                "scale": [5.2 * f, 4.0 * f, 4.0 * f],
                "translate": [t, t, t],
                "units": ["nm"] * 3,
            },
            "pixelResolution": [9, 9, 9],
        }
        for f, t in ((1, 0.0), (2, 2.0))
    ]
    found = read_scales(_levels(own))
    assert found.voxel_sizes == ((5.2, 4, 4), (10.4, 8, 8))
    assert found.translations[1] == (2, 2, 2)
    assert found.axes[0].unit == "nm"


@pytest.mark.parametrize(
    ("own", "group"),
    [
        ([{}, {"downsamplingFactors": [2, 1, 4]}], {"resolution": [1, 2, 3]}),
        ([{}, {}], {"resolution": [1, 2, 3], "scales": [[1, 1, 1], [2, 1, 4]]}),
        (
            [{"pixelResolution": {"unit": "um", "dimensions": [1, 2, 3]}}, {}],
            {"downsamplingFactors": [[1, 1, 1], [2, 1, 4]]},
        ),
    ],
)
def test_sizes_and_factors_are_x_y_z(own, group):
    found = read_scales(_levels(own, group))
    assert found.voxel_sizes == ((3, 2, 1), (12, 2, 2))
    assert found.translations == ((0, 0, 0), (4.5, 0, 0.5))


def test_without_factors_the_shapes_tell():
    found = read_scales(_levels([{}, {}]))
    assert found.voxel_sizes[1] == (2, 2, 2)
    assert [f.code for f in found.findings] == ["no-voxel-size"]


def test_offsets_are_the_place_of_voxel_zero():
    found = read_scales(_levels([{"offset": [1, 2, 3]}, {}], {"resolution": [2, 2, 2]}))
    assert found.translations == ((3, 2, 1), (4, 3, 2))


@pytest.mark.parametrize("bad", [[0, 1, 1], "text", [1], [float("nan")] * 3, None, 5])
def test_unusable_sizes_leave_voxels_of_one(bad):
    found = read_scales(_levels([{"resolution": bad}, {}]))
    assert found.voxel_sizes[0] == (1, 1, 1)


def test_named_axes_are_reversed():
    own = [{"axes": ["x", "y", "z", "t"], "units": ["nm", "nm", "nm", "s"]}]
    found = read_scales(_levels(own, sizes=((9, 8, 7, 2),)))
    assert [(a.name, a.kind) for a in found.axes] == [
        ("t", "time"),
        ("z", "space"),
        ("y", "space"),
        ("x", "space"),
    ]
