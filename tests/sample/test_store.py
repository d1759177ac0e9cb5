"""The sample on disk."""

import json

import numpy as np
import pytest
import zarr

from brickfield.errors import OptionError
from brickfield.sample import store
from brickfield.sample.store import STEPS, ensure_sample, mean_level, write_sample
from brickfield.sample.tissue import Grid

SMALL = Grid((16, 32, 32), (6.0, 3.0, 3.0))


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    path = tmp_path_factory.mktemp("sample") / "s.ome.zarr"
    write_sample(path, SMALL)
    return path


def test_every_level_is_the_mean_of_the_finer_one(written):
    group = zarr.open_group(written, mode="r")
    for number, (fz, fy, fx) in enumerate(STEPS, start=1):
        fine = group[str(number - 1)][...].astype(float)
        c, z, y, x = fine.shape
        mean = fine.reshape(c, z // fz, fz, y // fy, fy, x // fx, fx).mean((2, 4, 6))
        assert np.abs(group[str(number)][...] - mean).max() <= 0.5


def test_a_ramp_keeps_its_place_through_the_transforms_of_the_levels(written):
    """World coordinates averaged as voxels are equal what the metadata says."""
    ome = json.loads((written / "zarr.json").read_text())["attributes"]["ome"]
    world = np.arange(SMALL.shape[2]) * SMALL.voxel_size[2]
    ramp = np.broadcast_to(np.uint16(world), (1, *SMALL.shape)).copy()
    for number, dataset in enumerate(ome["multiscales"][0]["datasets"]):
        if number:
            ramp = mean_level(ramp, STEPS[number - 1])
        scale, translation = dataset["coordinateTransformations"]
        n = ramp.shape[3]
        expected = np.arange(n) * scale["scale"][3] + translation["translation"][3]
        assert np.abs(ramp[0, 0, 0] - expected).max() <= 1


def test_a_sample_that_is_there_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "GRID", SMALL)
    (tmp_path / store.NAME).mkdir()
    assert ensure_sample(tmp_path) == tmp_path / store.NAME
    assert not list((tmp_path / store.NAME).iterdir())


def test_a_folder_that_cannot_be_made_is_refused_in_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OptionError, match="expected to write the sample"):
        ensure_sample(tmp_path / "file" / "inside")
