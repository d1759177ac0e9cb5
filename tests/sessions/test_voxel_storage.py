"""A storage that is written while voxels come is saved as a session, and filled by one."""

import numpy as np
import pytest

from brickfield.sessions import SessionManager
from brickfield.streaming import DualResolutionVoxelStorage

CONFIG = {"shape": (6, 20, 30), "voxel_size": (2, 1, 1), "n_channels": 2}


@pytest.mark.parametrize("on_disk", [False, True])
def test_channels_come_back_from_a_session(tmp_path, on_disk):
    data = np.random.default_rng(0).integers(0, 900, (6, 20, 30)).astype(np.uint16)
    path = tmp_path / "v.zarr" if on_disk else None
    storage = DualResolutionVoxelStorage(CONFIG, zarr_path=path)
    storage.write(1, (0, 0, 0), data)
    manager = SessionManager(tmp_path)
    session = manager.save_session(storage, "s", "a note")
    other = DualResolutionVoxelStorage({"shape": (1, 1, 1)})
    manager.restore_to_storage(other, session)
    assert np.array_equal(np.asarray(other.channel(1)), data)
    assert np.array_equal(other.display(1), storage.display(1))
    assert not np.asarray(other.channel(0)).any()
    assert other.voxel_size == (2, 1, 1)
    assert other.channel_names == storage.channel_names
    storage.close_zarr()
