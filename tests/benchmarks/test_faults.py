"""E14: what comes through a damaged store, as counts."""

import pytest
from benchmarks.faults import CHUNK, N, cases, volume
from benchmarks.scenes import write_pyramid


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faults")
    path = write_pyramid(folder / "good.zarr", [volume()], CHUNK)
    return list(cases(path))


def test_every_good_storage_chunk_is_delivered_whatever_happens_to_others(outcomes):
    good = {name: got.good for name, got, _ in outcomes}
    assert good == {name: N - n_bad for name, _, n_bad in outcomes}


def test_completion_is_told_whatever_happens(outcomes):
    assert {name for name, got, _ in outcomes if not got.is_told} == set()


def test_a_chunk_that_is_not_stored_is_missing_and_not_failed(outcomes):
    got = {name: got for name, got, _ in outcomes}["delete"]
    assert (got.missing, got.failed) == (5, 0)


def test_every_bad_storage_chunk_is_counted(outcomes):
    failed = {name: got.failed for name, got, _ in outcomes if name != "delete"}
    bad = {name: n_bad for name, _, n_bad in outcomes if name != "delete"}
    assert failed == bad
