"""E14: what comes through a damaged store, as counts."""

import pytest
from benchmarks.faults import N, cases, volume
from benchmarks.scenes import write_pyramid

from brickfield.model.requests import ChunkState


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faults")
    path = write_pyramid(folder / "good.zarr", [volume()], 64)
    return list(cases(path))


def test_every_good_chunk_is_delivered_whatever_happens_to_others(outcomes):
    got = {name: counts[ChunkState.LOADED] for name, counts, _, _ in outcomes}
    assert got == {name: N - n_bad for name, _, _, n_bad in outcomes}


def test_completion_is_told_whatever_happens(outcomes):
    assert {name for name, _, completed, _ in outcomes if not completed} == set()


def test_a_chunk_that_is_not_stored_is_missing_and_not_failed(outcomes):
    counts = {name: counts for name, counts, _, _ in outcomes}["delete"]
    assert counts[ChunkState.MISSING] == 5
    assert counts[ChunkState.FAILED] == 0
