"""Damage to a file is what its name says."""

import pytest

from brickfield.testing.corruptor import chunk_files, corrupt
from brickfield.testing.zarr_stores import ramp, write_image

CONTENT = bytes(range(200))


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        ("truncate", CONTENT[:100]),
        ("empty", b""),
        ("flip", bytes(255 - b for b in CONTENT[:64]) + CONTENT[64:]),
    ],
)
def test_damage_is_what_its_name_says(tmp_path, damage, expected):
    path = tmp_path / "chunk"
    path.write_bytes(CONTENT)
    corrupt(path, damage)
    assert path.read_bytes() == expected


def test_garbage_keeps_the_length_and_can_be_repeated(tmp_path):
    files = [tmp_path / "a", tmp_path / "b"]
    for path in files:
        path.write_bytes(CONTENT)
    corrupt(files, "garbage", seed=1)
    first, second = (p.read_bytes() for p in files)
    assert first == second
    assert len(first) == len(CONTENT)
    assert first != CONTENT


def test_a_deleted_file_is_gone(tmp_path):
    (tmp_path / "chunk").write_bytes(CONTENT)
    corrupt(tmp_path / "chunk", "delete")
    assert not (tmp_path / "chunk").exists()


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_only_files_with_voxels_are_chunks(tmp_path, zarr_format):
    write_image(tmp_path / "a.zarr", [ramp((8, 8, 8))], zarr_format=zarr_format)
    files = chunk_files(tmp_path / "a.zarr")
    assert len(files) == 8
    assert not any(p.suffix == ".json" or p.name.startswith(".z") for p in files)
