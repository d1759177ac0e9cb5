"""Frames that an acquisition engine announces lie at their index."""

from types import SimpleNamespace

import numpy as np
import pytest
import zarr

from brickfield.errors import OptionError
from brickfield.streaming import AcquisitionHandler


def event(**index):
    return SimpleNamespace(index=index)


def test_frames_in_any_order_of_axes_and_positions_lie_where_they_belong(tmp_path):
    """Planes before channels, positions in between, as engines go."""
    sequence = SimpleNamespace(
        sizes={"t": 2, "p": 2, "z": 3, "c": 2},
        channels=[SimpleNamespace(config="dapi"), SimpleNamespace(config="gfp")],
    )
    handler = AcquisitionHandler(tmp_path / "a.ome.zarr", chunks=(1, 1, 3, 16, 16))
    handler.sequenceStarted(sequence, {})
    data = np.random.default_rng(0).integers(1, 99, (2, 2, 3, 2, 20, 24), np.uint16)
    for t, p, z, c in np.ndindex(2, 2, 3, 2):
        handler.frameReady(data[t, p, z, c], event(t=t, p=p, z=z, c=c), {})
    handler.sequenceFinished(sequence)
    for p, name in enumerate(("a.ome.zarr", "a_p1.ome.zarr")):
        group = zarr.open_group(tmp_path / name, mode="r")
        assert np.array_equal(group["0"][...], data[:, p].swapaxes(1, 2))
        labels = [c["label"] for c in group.attrs["ome"]["omero"]["channels"]]
        assert labels == ["dapi", "gfp"]
    assert [w.is_closed for w in handler.writers.values()] == [True, True]


def test_without_a_plan_time_goes_on(tmp_path):
    handler = AcquisitionHandler(tmp_path / "a.ome.zarr")
    handler.sequenceStarted(SimpleNamespace(sizes={}), {})
    for t in range(3):
        handler.frameReady(np.full((8, 8), t + 1, np.uint8), event(t=t), {})
    handler.sequenceFinished()
    handler.sequenceFinished()
    found = zarr.open_group(tmp_path / "a.ome.zarr", mode="r")["0"]
    assert found[:, 0, 0].tolist() == [1, 2, 3]


def test_a_frame_that_is_none_or_lies_outside_is_refused(tmp_path):
    handler = AcquisitionHandler(tmp_path / "a.ome.zarr")
    handler.sequenceStarted(SimpleNamespace(sizes={"t": 2}), {})
    with pytest.raises(OptionError, match="rows and columns"):
        handler.frameReady(np.zeros((2, 2, 2), np.uint8), event(t=0))
    with pytest.raises(OptionError, match="within"):
        handler.frameReady(np.zeros((8, 8), np.uint8), event(t=2))
    handler.sequenceFinished()
