"""E1 and E2: bytes and decoding as counts."""

import numpy as np
import pytest
from benchmarks.reading import load_all, noise, reads_a_chunk, visits
from benchmarks.scenes import light_sheet, write_pyramid


@pytest.mark.parametrize("chunk", [32, 64, 128])
def test_a_cold_view_reads_each_storage_chunk_once_and_a_warm_one_nothing(
    tmp_path, chunk
):
    path = write_pyramid(tmp_path / "a.zarr", [light_sheet(128)], chunk)
    first, second = visits(path)
    assert first <= 1.02
    assert second == 0


def test_a_ram_budget_of_an_eighth_of_the_view_reads_no_storage_chunk_again():
    assert reads_a_chunk(256, 128, 8) <= 1.10


@pytest.mark.parametrize(
    ("shape", "chunk"),
    [((128, 128, 256), (128, 128, 128)), ((64, 512, 512), (1, 512, 512))],
    ids=["large", "planes"],
)
def test_a_storage_chunk_is_decoded_once_however_many_chunks_it_holds(
    tmp_path, shape, chunk
):
    path = write_pyramid(tmp_path / "a.zarr", [noise(shape, np.uint8)], chunk)
    n_chunks, n_decoded, _ = load_all(path)
    assert n_chunks == np.prod(shape) // 64**3
    assert n_decoded == np.prod(shape) // np.prod(chunk)
