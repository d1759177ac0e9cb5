"""The sample on disk is the computed volume, and is written once."""

import json

import pytest
import zarr

from brickfield.errors import OptionError
from brickfield.sample import store
from brickfield.sample.store import ensure_sample, write_sample
from brickfield.sample.tissue import Grid, tissue

SMALL = Grid((80, 160, 160), (1.2, 0.6, 0.6))


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    path = tmp_path_factory.mktemp("sample") / "s.ome.zarr"
    write_sample(path, SMALL)
    return path


def test_level_0_is_the_computed_volume(written):
    assert (zarr.open_array(written / "0", mode="r")[...] == tissue(SMALL)).all()


def test_the_first_step_makes_the_voxels_cubes(written):
    ome = json.loads((written / "zarr.json").read_text())["attributes"]["ome"]
    sizes = [
        dataset["coordinateTransformations"][0]["scale"][1:]
        for dataset in ome["multiscales"][0]["datasets"]
    ]
    assert sizes[0] == pytest.approx([1.2, 0.6, 0.6])
    assert sizes[1] == pytest.approx([1.2, 1.2, 1.2])


def test_channels_keep_their_names_and_colours(written):
    ome = json.loads((written / "zarr.json").read_text())["attributes"]["ome"]
    channels = [(c["label"], c["color"].upper()) for c in ome["omero"]["channels"]]
    assert channels == [("nuclei", "56B4E9"), ("vessels", "E69F00")]


def test_a_sample_that_is_there_is_kept(tmp_path):
    (tmp_path / store.NAME).mkdir()
    assert ensure_sample(tmp_path) == tmp_path / store.NAME
    assert not list((tmp_path / store.NAME).iterdir())


def test_a_folder_that_cannot_be_made_is_refused_in_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OptionError, match="expected to write the sample"):
        ensure_sample(tmp_path / "file" / "inside")
