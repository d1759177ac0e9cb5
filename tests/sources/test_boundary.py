"""What a foreign file provokes becomes one of our errors, with the file and the field."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import h5py
import numpy as np
import pytest
from tests.fuzz import images

from brickfield.errors import (
    BrickfieldError,
    OptionError,
    StoreAccessError,
    StoreFormatError,
    UnforeseenDataError,
)
from brickfield.sources.boundary import foreign, numbered_channels
from brickfield.store import open_store

DEEP = '{"a":' * 100_000 + "1" + "}" * 100_000


def edited(file, change):
    document = json.loads(Path(file).read_text())
    change(document)
    Path(file).write_text(json.dumps(document))


# -- the boundary -----------------------------------------------------------------


@pytest.mark.parametrize(
    "error", [RecursionError("deep"), ZeroDivisionError(), KeyError("a"), OSError("x")]
)
def test_what_no_reader_foresaw_names_the_file_and_keeps_its_cause(error):
    with (
        pytest.raises(UnforeseenDataError, match=r"a\.zarr") as caught,
        foreign("a.zarr"),
    ):
        raise error
    assert type(error).__name__ in str(caught.value)
    assert caught.value.__cause__ is error


def test_our_own_errors_and_a_wish_to_end_pass():
    for error in (OptionError("ours"), KeyboardInterrupt()):
        with pytest.raises(type(error)) as caught, foreign("a.zarr"):
            raise error
        assert caught.value is error


def test_what_the_system_refuses_is_said_in_its_words():
    with pytest.raises(StoreAccessError, match="No space left"), foreign("a.zarr"):
        raise OSError(28, os.strerror(28))


def test_more_channels_than_anybody_can_tell_apart_are_a_wrong_shape():
    assert [c.name for c in numbered_channels(2)] == ["0", "1"]
    with pytest.raises(StoreFormatError, match="9223372036854775808"):
        numbered_channels(2**63)


# -- files ------------------------------------------------------------------------


def _n5_deep(folder):
    place = images.n5(folder)
    Path(place, "s0", "attributes.json").write_text(DEEP)
    return place, "attributes.json"


def _precomputed_deep(folder):
    place = images.precomputed(folder)
    Path(place, "info").write_text(DEEP)
    return place, "info"


def _precomputed_size(size, sentence):
    def make(folder):
        place = images.precomputed(folder)
        edited(f"{place}/info", lambda d: d["scales"][0].update(size=size))
        return place, sentence

    return make


def _zarr_shape(n):
    def make(folder):
        place = images.zarr_2(folder)
        for level in (0, 1):
            edited(f"{place}/{level}/.zarray", lambda d: d.update(shape=[n] * 3))
        return place, "shape"

    return make


def _n5_shape(folder):
    place = images.n5(folder)
    edited(f"{place}/s0/attributes.json", lambda d: d.update(dimensions=[10**18] * 3))
    return place, "shape"


def _bdv_level(level, **options):
    def make(folder):
        place = images.bdv_hdf5(folder)
        with h5py.File(folder / "data.h5", "r+") as file:
            name = f"t00000/s00/{level}/cells"
            del file[name]
            file.create_dataset(name, **options)
        return place, name

    return make


COMPOUND = np.zeros((6, 10, 14), [("a", "u2"), ("b", "f4")])
BAD = {
    "deep JSON in N5": _n5_deep,
    "deep JSON in precomputed": _precomputed_deep,
    "size as text": _precomputed_size("abc", r"scales\[0\]"),
    "size of texts": _precomputed_size(["1", "2", "3"], r"scales\[0\]"),
    "precomputed 1e18 cubed": _precomputed_size([10**18] * 3, "shape"),
    "zarr 1e18 cubed": _zarr_shape(10**18),
    "zarr 1e30 cubed": _zarr_shape(10**30),
    "N5 1e18 cubed": _n5_shape,
    "a BDV level of no voxel": _bdv_level(1, shape=(0, 10, 14), dtype="i2"),
    "a BDV level of records": _bdv_level(1, data=COMPOUND),
    "a first BDV level of records": _bdv_level(0, data=COMPOUND),
}


@pytest.mark.parametrize("make", BAD.values(), ids=BAD)
def test_it_is_refused_with_the_file_and_the_field(tmp_path, make):
    place, sentence = make(tmp_path)
    with pytest.raises(StoreFormatError, match=sentence) as caught:
        open_store(place)
    assert not isinstance(caught.value, UnforeseenDataError)
    assert Path(place).name in str(caught.value)


@pytest.mark.parametrize("end", [10**400, float("nan"), "abc", None, []])
def test_a_window_that_is_no_number_is_a_finding(tmp_path, end):
    place = images.zarr_2(tmp_path)
    edited(
        f"{place}/.zattrs",
        lambda d: d["omero"]["channels"][0]["window"].update(end=end),
    )
    with open_store(place) as store:
        assert any("window" in finding.text for finding in store.findings)


@pytest.mark.parametrize(
    "compressor",
    [
        {"id": "blosc", "cname": "lz4", "clevel": 10**30, "shuffle": 1},
        {"id": "gzip", "level": 10**30},
    ],
)
def test_a_huge_level_of_compression_ends_in_voxels_or_a_sentence(tmp_path, compressor):
    place = images.zarr_2(tmp_path)
    for level in (0, 1):
        edited(f"{place}/{level}/.zarray", lambda d: d.update(compressor=compressor))
    with suppress(BrickfieldError), open_store(place) as store:
        assert np.array_equal(store.read(1), images.LEVELS[1])


def test_an_encoding_that_is_not_read_is_named_however_long_the_path(tmp_path):
    folder = tmp_path / ("a" * 100) / ("b" * 100)
    folder.mkdir(parents=True)
    place = images.precomputed(folder)
    edited(f"{place}/info", lambda d: d["scales"][0].update(encoding="compresso"))
    with pytest.raises(StoreFormatError, match="compresso"):
        open_store(place)


# -- places -----------------------------------------------------------------------

PLACES = {
    "NUL": "a\0b.zarr",
    "a name of 5,000 letters": "x" * 5000 + ".zarr",
    "a path of 5,000 letters": "x/" * 2500 + "a.zarr",
    "a file path of 5,000 letters": "x/" * 2500 + "a.h5",
    "half an IPv6 host": "http://[::1/a.zarr",
    "no IPv6 host": "http://[zz::1]/a.zarr",
    "no bucket": "s3://No_Bucket!/a.zarr",
}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_a_place_that_cannot_be_is_refused_in_a_sentence(place):
    with pytest.raises(BrickfieldError, match="expected") as caught:
        open_store(place)
    assert len(str(caught.value)) < 600


def test_the_command_line_says_the_same_and_the_cause_on_wish(tmp_path):
    place, _ = _n5_deep(tmp_path)
    command = [sys.executable, "-m", "brickfield.cli.main", "info", place]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 2
    assert "attributes.json" in told.stderr
    assert "Traceback" not in told.stderr
    debugged = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "BRICKFIELD_DEBUG": "1"},
    )
    assert "RecursionError" in debugged.stderr
