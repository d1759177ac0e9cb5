"""When a stream ends its channels get contrast limits that fit their voxels."""

import json

import numpy as np
import pytest
import yaozarrs

from brickfield.streaming import StreamWriter


def _windows(place, version) -> list[dict[str, float]]:
    name = "zarr.json" if version == "0.5" else ".zattrs"
    document = json.loads((place / name).read_text())
    attributes = document["attributes"]["ome"] if version == "0.5" else document
    return [c["window"] for c in attributes["omero"]["channels"]]


@pytest.mark.parametrize("version", ["0.5", "0.4"])
def test_each_channel_has_the_limits_of_its_own_voxels(tmp_path, version):
    place, rng = tmp_path / "a.ome.zarr", np.random.default_rng(0)
    with StreamWriter(
        place, (None, 2, 3, 64, 64), "tczyx", channels=["a", "b"], version=version
    ) as writer:
        assert [w["end"] for w in _windows(place, version)] == [65535, 65535]
        for i in range(4 * 2 * 3):
            low = 100 if i // 3 % 2 == 0 else 5000
            writer.append(rng.integers(low, low + 1000, (64, 64)).astype(np.uint16))
    yaozarrs.validate_zarr_store(place)
    for window, low in zip(_windows(place, version), (100, 5000), strict=True):
        assert (window["min"], window["max"]) == (0, 65535)
        assert low <= window["start"] < low + 20
        assert low + 980 < window["end"] <= low + 1000


def test_frames_that_never_came_do_not_count(tmp_path):
    place = tmp_path / "a.ome.zarr"
    with StreamWriter(place, (40, 32, 32), "tyx", channels=["a"]) as writer:
        for i in range(5):
            frame = np.arange(1024, dtype=np.uint16).reshape(32, 32) + 1000 + i
            writer.append(frame)
    (window,) = _windows(place, "0.5")
    assert window["start"] >= 1000


@pytest.mark.parametrize(
    "frame",
    [
        np.full((16, 16), 7, np.float32),
        np.full((16, 16), np.nan, np.float32),
        np.full((16, 16), np.inf, np.float32),
    ],
)
def test_limits_stay_where_voxels_tell_nothing(tmp_path, frame):
    place = tmp_path / "a.ome.zarr"
    with StreamWriter(
        place, (None, 16, 16), "tyx", np.float32, channels=["a"]
    ) as writer:
        writer.append(frame)
    (window,) = _windows(place, "0.5")
    assert (window["start"], window["end"]) == (0, 1)
    yaozarrs.validate_zarr_store(place)
