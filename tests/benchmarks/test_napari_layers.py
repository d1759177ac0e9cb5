"""The measurement of napari's layers, on a store of a few chunks."""

import numpy as np
import pytest
from benchmarks import napari_layers

from brickfield.store import open_store


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(napari_layers, "SHAPE", (128, 256, 256))
    monkeypatch.setattr(napari_layers, "N_LEVELS", 2)


def test_the_store_has_every_chunk_and_takes_little_room(tmp_path, small):
    path = napari_layers.write_store(tmp_path / "image.ome.zarr")
    files = [p for p in path.rglob("c/*/*/*") if p.is_file()]
    assert len(files) == 2 * 4 * 4 + 1 * 2 * 2
    assert len({p.stat().st_ino for p in files}) <= 8
    with open_store(path) as store:
        assert store.pyramid.shapes_zyx.tolist() == [[128, 256, 256], [64, 128, 128]]
        assert store.read(0, ((0, 0, 0), (64, 64, 64))).any()
        assert np.ptp(store.read(1)) > 1000


def test_of_several_runs_the_median_is_given_and_lost_steps_are_left_out():
    runs = [
        [{"step": "a", "late_ms": 1.0}, {"step": "b", "late_ms": 5.0}],
        [{"step": "a", "late_ms": 9.0}],
        [{"step": "a", "late_ms": 2.0}],
    ]
    assert napari_layers.middle(runs) == [
        {"step": "a", "late_ms": 2.0},
        {"step": "b", "late_ms": 5.0},
    ]


def test_the_table_has_a_line_for_each_step_and_a_dash_where_one_was_stopped():
    row = {"step": "z + 1", "blocked_ms": 7, "late_ms": 3, "draw_ms": 2, "done_s": 0.5}
    text = napari_layers.table({"ours": [row, {**row, "step": "z"}], "zarr": [row]})
    lines = text.splitlines()
    assert len(lines) == 5
    assert lines[-1].split() == ["z", "7", "3", "2", "0.50", "-"]
