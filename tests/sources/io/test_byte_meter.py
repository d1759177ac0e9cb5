"""Bytes are told once each."""

import tensorstore as ts

from brickfield.sources.io.byte_meter import ByteMeter


def test_bytes_are_handed_out_once_and_excluded_ones_never(tmp_path):
    store = ts.KvStore.open(f"file://{tmp_path}/").result()
    (tmp_path / "a").write_bytes(bytes(100))
    (tmp_path / "b").write_bytes(bytes(30))
    store.read("a").result()
    meter = ByteMeter("file")
    assert meter.take() == 0
    store.read("a").result()
    assert meter.take() == 100
    assert meter.take() == 0
    store.read("a").result()
    store.read("b").result()
    meter.exclude(30)
    assert meter.take() == 100


def test_bytes_excluded_too_early_stay_owed(tmp_path):
    store = ts.KvStore.open(f"file://{tmp_path}/").result()
    (tmp_path / "a").write_bytes(bytes(100))
    meter = ByteMeter("file")
    meter.exclude(130)
    assert meter.take() == 0
    store.read("a").result()
    assert meter.take() == 0
    store.read("a").result()
    assert meter.take() == 70


def test_bytes_of_others_are_forgotten_unless_a_read_is_under_way(tmp_path):
    store = ts.KvStore.open(f"file://{tmp_path}/").result()
    (tmp_path / "a").write_bytes(bytes(100))
    meter = ByteMeter("file")
    store.read("a").result()
    meter.settle()
    assert meter.take() == 0
    with meter.reading():
        store.read("a").result()
        meter.settle()
        assert meter.take() == 100
