"""An export whose source is read by the workers of a dask cluster."""

import dask.array as da
import numpy as np
import pytest
import zarr
from numpy.testing import assert_array_equal

import brickfield as bf
from brickfield.blockwise import open_executor
from brickfield.errors import ChunkReadError, OptionError, StoreUnreachableError
from brickfield.imaris.reading.cluster import ClusterSource
from brickfield.sources import open_source

distributed = pytest.importorskip("distributed")
RNG = np.random.default_rng(4)


@pytest.fixture(scope="module")
def cluster():
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=False,
        protocol="tcp",
        dashboard_address=None,
        silence_logs=50,
    ) as local:
        yield local


@pytest.fixture
def image():
    return RNG.integers(0, 4000, (2, 40, 96, 90), np.uint16)


@pytest.fixture
def stored(tmp_path, image):
    """A store and the options with which its axes are known."""
    path = tmp_path / "source.zarr"
    zarr.create_array(path, data=image, chunks=(1, 16, 32, 90))
    return str(path), {"axes": "czyx"}


def same(path, image):
    with bf.open_store(path) as store:
        for c in range(len(image)):
            assert_array_equal(store.read(0, None, (0, c)), image[c])


def test_workers_open_an_address_as_it_was_opened_here(
    cluster, stored, image, tmp_path
):
    uri, opening = stored
    result = bf.to_imaris(
        uri,
        tmp_path / "a.ims",
        opening=opening,
        scheduler=cluster.scheduler_address,
    )
    assert result.n_decoded == 2 * 3 * 3
    same(tmp_path / "a.ims", image)


def _named(block):
    return block * 0 + int(distributed.get_worker().address.rpartition(":")[2])


def test_a_graph_is_computed_by_the_workers(cluster, tmp_path):
    ones = da.ones((8, 64, 64), chunks=(8, 32, 64), dtype="u4")
    lazy = ones.map_blocks(_named, dtype="u4")
    path = tmp_path / "a.ims"
    bf.to_imaris(lazy, path, scheduler=cluster.scheduler_address)
    with bf.open_store(path) as store:
        found = set(np.unique(store.read(0, None, (0, 0))).tolist())
    ports = {int(w.address.rpartition(":")[2]) for w in cluster.workers.values()}
    assert found <= ports


def _fails(block):
    msg = "no such plane"
    raise ValueError(msg)


def test_what_a_worker_cannot_read_is_told_with_its_reason(cluster, tmp_path):
    lazy = da.ones((8, 64, 64), chunks=(8, 32, 64)).map_blocks(_fails, dtype="f4")
    with pytest.raises(ChunkReadError, match="no such plane"):
        bf.to_imaris(lazy, tmp_path / "a.ims", scheduler=cluster.scheduler_address)
    assert not (tmp_path / "a.ims").exists()


def test_without_a_scheduler_at_the_address_nothing_is_written(
    monkeypatch, stored, tmp_path
):
    monkeypatch.setattr("brickfield.blockwise.executors.CONNECT_S", 0.5)
    with pytest.raises(StoreUnreachableError, match="dask scheduler"):
        bf.to_imaris(
            stored[0],
            tmp_path / "a.ims",
            opening=stored[1],
            scheduler="tcp://127.0.0.1:1",
        )
    assert not list(tmp_path.glob("a.ims*"))


def test_a_source_that_its_address_alone_does_not_lead_to_is_refused(stored):
    source = open_source(stored[0], **stored[1])
    zarr.create_array(
        stored[0], shape=(3, 9, 9, 9), dtype="u1", chunks=(1, 9, 9, 9), overwrite=True
    )
    with pytest.raises(OptionError, match='"opening"'):
        ClusterSource(source, open_executor("inline"), stored[1])
    source.close()
