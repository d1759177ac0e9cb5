"""Channels of other programs' storages come back lazily and equal."""

import numpy as np
import pytest

from brickfield.errors import OptionError


class Storage:
    """The smallest thing that the protocol asks for."""

    channel_ids = (3, 7)
    voxel_size = (2.0, 0.5, 0.5)
    origin = (10.0, 20.0, 30.0)
    reference_position = (1.0, 2.0, 3.0)

    def __init__(self, arrays=None):
        self.arrays = arrays or {}
        self.channel_names = {3: "nuclei", 7: "membranes"}

    def channel(self, number):
        return self.arrays[number]

    def set_channel(self, number, array):
        self.arrays[number] = array


VOLUMES = {
    n: np.random.default_rng(n).integers(0, 999, (20, 30, 40)).astype(np.uint16)
    for n in (3, 7)
}


def test_channels_come_back_lazily_and_equal(manager):
    path = manager.save_session(Storage(dict(VOLUMES)), "s")
    other = Storage()
    other.channel_names = {}
    told = manager.restore_to_storage(other, path)
    assert told["reference_position"] == [1.0, 2.0, 3.0]
    assert other.channel_names == {3: "nuclei", 7: "membranes"}
    assert (other.voxel_size, other.origin) == (Storage.voxel_size, Storage.origin)
    for number, volume in VOLUMES.items():
        lazy = other.arrays[number]
        assert not isinstance(lazy, np.ndarray)
        np.testing.assert_array_equal(np.asarray(lazy), volume)
    about = manager.info(path)
    assert about["bounds"] == [[9, 19.75, 29.75], [49, 34.75, 49.75]]


@pytest.mark.parametrize(
    "key",
    [
        np.s_[3],
        np.s_[2:9, ..., ::-2],
        np.s_[..., -1],
        np.s_[5:5],
        np.s_[-3:, 29, 10:2:-3],
        np.s_[::7, 1:2],
    ],
)
def test_a_part_of_a_lazy_channel_is_what_numpy_gives(manager, key):
    path = manager.save_session(Storage(dict(VOLUMES)), "s")
    other = Storage()
    manager.restore_to_storage(other, path)
    np.testing.assert_array_equal(other.arrays[7][key], VOLUMES[7][key])


def test_a_channel_that_is_no_volume_is_refused(manager):
    flat = {3: np.zeros((4, 4)), 7: np.zeros((4, 4))}
    with pytest.raises(OptionError, match="z, y, x"):
        manager.save_session(Storage(flat), "s")
