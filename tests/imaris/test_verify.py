"""A file that does not hold what was written is not kept."""

from contextlib import ExitStack
from math import prod
from threading import Event

import numpy as np
import pytest
import zarr

import brickfield as bf
from brickfield.errors import StoreWriteError
from brickfield.imaris import passes
from brickfield.imaris.check_sums import CheckSums, check_sum
from brickfield.imaris.options import ImarisOptions
from brickfield.imaris.output.file import ImarisFile
from brickfield.imaris.planning.plan import prepare
from brickfield.imaris.reading.inputs import open_sources
from brickfield.imaris.reading.staging import Scratch
from brickfield.sources import from_arrays


def test_a_file_that_was_damaged_on_its_way_is_not_gone_on_with(tmp_path, monkeypatch):
    image = np.random.default_rng(0).integers(0, 99, (4, 60, 50), np.uint16)
    zarr.create_array(tmp_path / "a.zarr", data=image)
    write = ImarisFile.write_chunk
    with monkeypatch.context() as patched:
        # Another chunk that can be decoded: what a disk gives back after an error.
        wrong = bf.to_imaris.__globals__["ImarisOptions"]().encoder
        patched.setattr(
            ImarisFile,
            "write_chunk",
            lambda self, level, index, _: write(
                self, level, index, wrong.encode(np.zeros((4, 64, 64), np.uint16))
            ),
        )
        with pytest.raises(StoreWriteError, match="read back"):
            bf.to_imaris(tmp_path / "a.zarr", tmp_path / "a.ims")
    assert [p.name for p in tmp_path.iterdir()] == ["a.zarr"]
    result = bf.to_imaris(tmp_path / "a.zarr", tmp_path / "a.ims")
    assert result.n_resumed == 0
    assert result.n_verified > 0


@pytest.mark.parametrize("is_verified_first", [True, False])
def test_a_run_that_goes_on_reads_back_what_the_first_one_wrote_too(
    tmp_path, monkeypatch, is_verified_first
):
    """All chunks are compared; those without a check sum are decoded, and told."""
    image = np.random.default_rng(0).integers(0, 99, (3, 4, 60, 50), np.uint16)
    zarr.create_array(tmp_path / "a.zarr", data=image, dimension_names=list("tzyx"))
    monkeypatch.setattr(passes, "COMMIT_S", 0)
    cancel = Event()

    def stop(done, *_):
        if done >= 2:
            cancel.set()

    def go(**options):
        return bf.to_imaris(
            tmp_path / "a.zarr", tmp_path / "a.ims", chunks=(2, 30, 25), **options
        )

    go(verify=is_verified_first, progress=stop, cancel=cancel, workers=1)
    result = go(verify=True)
    assert result.n_resumed == 2
    n_chunks = sum(
        prod(-(-n // c) for n, c in zip(lv.shape, lv.chunk_shape, strict=True))
        for lv in result.levels
    )
    told = [n for n in result.notes if "had not noted" in n]
    assert len(told) == (not is_verified_first)
    if is_verified_first:
        assert result.n_verified == 3 * n_chunks
    assert {p.name for p in tmp_path.iterdir()} == {"a.zarr", "a.ims"}


def test_what_an_earlier_run_wrote_is_compared_with_what_it_meant_to(tmp_path):
    image = np.random.default_rng(0).integers(0, 99, (2, 4, 60, 50), np.uint16)
    options = ImarisOptions()
    with ExitStack() as opened:
        scratch = Scratch(tmp_path / "a.ims")
        sources = open_sources(
            from_arrays(image, axes="tzyx", name="x"), options, scratch, opened
        )
        plan = prepare(sources, options).plan
    first = CheckSums(tmp_path / "a.ims.part", plan, all_chunks=True)
    chunk = np.ones(plan.levels[0].chunk_shape, np.uint16)
    for time in (0, 1):
        first.note((0, time, 0, (0, 0, 0)), chunk)
    first.save()
    with (tmp_path / "a.ims.part.sums").open("ab") as file:
        file.write(b"torn")
    second = CheckSums(tmp_path / "a.ims.part", plan, all_chunks=True)
    second.resume(1)
    assert second.sums == {(0, 0, 0, (0, 0, 0)): check_sum(chunk)}
    assert (0, 1, 0, (0, 0, 0)) in list(second.unknown())
