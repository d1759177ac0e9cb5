"""Metadata beside those of ome-writers, and of the standard's own examples."""

import json

import numpy as np
import pytest

from brickfield.sources import open_source
from brickfield.streaming import StreamWriter

ome_writers = pytest.importorskip("ome_writers")


def test_axes_scales_and_arrays_are_those_that_ome_writers_gives(tmp_path):
    settings = ome_writers.AcquisitionSettings(
        root_path=str(tmp_path / "theirs.ome.zarr"),
        dimensions=[
            ome_writers.Dimension(name="t", count=2, type="time", unit="second", scale=3),
            ome_writers.Dimension(name="c", count=2, type="channel"),
            ome_writers.Dimension(
                name="z", count=4, type="space", unit="micrometer", scale=2, chunk_size=4
            ),
            ome_writers.Dimension(
                name="y", count=32, type="space", unit="micrometer", scale=0.5,
                chunk_size=16,
            ),
            ome_writers.Dimension(
                name="x", count=48, type="space", unit="micrometer", scale=0.5,
                chunk_size=16,
            ),
        ],
        dtype="uint16",
        format={"name": "ome-zarr", "backend": "tensorstore"},
    )  # fmt: skip
    data = np.arange(16 * 32 * 48, dtype=np.uint16).reshape(16, 32, 48)
    with ome_writers.create_stream(settings) as stream:
        for frame in data:
            stream.append(frame)
    ours = tmp_path / "ours.ome.zarr"
    with StreamWriter(
        ours, (2, 2, 4, 32, 48), "tczyx", "uint16", scale=(3, 1, 2, 0.5, 0.5),
        units=("second", None, *["micrometer"] * 3), chunks=(1, 1, 4, 16, 16), levels=1,
    ) as writer:  # fmt: skip
        for frame in data:
            writer.append(frame)
    theirs = tmp_path / "theirs.ome.zarr"
    a, b = (json.loads((p / "zarr.json").read_text()) for p in (ours, theirs))
    ours_image, their_image = (d["attributes"]["ome"]["multiscales"][0] for d in (a, b))
    assert ours_image["axes"] == their_image["axes"]
    scales = [
        image["datasets"][0]["coordinateTransformations"][0]
        for image in (ours_image, their_image)
    ]
    assert scales[0] == scales[1]
    arrays = [json.loads((p / "0/zarr.json").read_text()) for p in (ours, theirs)]
    for key in ("shape", "data_type", "chunk_grid", "fill_value", "zarr_format"):
        assert arrays[0][key] == arrays[1][key], key
    first, second = (open_source(p) for p in (ours, theirs))
    assert np.array_equal(
        first.read_storage_chunk(0, (1, 1, 0, 1, 2)).data,
        second.read_storage_chunk(0, (1, 1, 0, 1, 2)).data,
    )
