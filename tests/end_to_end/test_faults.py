"""Damaged, missing and refused chunks: counted, drawn around, never a hang."""

from __future__ import annotations

import json

import numpy as np
import pytest

import brickfield as bf
from brickfield.errors import ChunkReadError
from brickfield.store import LazyLevel
from brickfield.testing import corrupt
from brickfield.testing.http_server import FaultServer, Rule
from brickfield.testing.loading import ask
from brickfield.testing.zarr_stores import image_attributes, write_array, write_group

pytestmark = pytest.mark.gpu
OPTIONS = {"camera": "ortho:z", "size": (64, 96), "contrast": (0, 255)}


def shot(uri, **options):
    """Open, draw level 0 along z, close."""
    store = bf.open_store(uri)
    try:
        return bf.render(store, colormap="gray", **(OPTIONS | options))
    finally:
        store.close()


@pytest.mark.parametrize("level", [0, None])
@pytest.mark.parametrize("damage", ["truncate", "flip", "empty", "garbage"])
def test_a_damaged_chunk_ends_early_and_spares_the_rest(
    adapter, image, volume, damage, level
):
    """The picture is done long before the time is over."""
    corrupt(image / "0" / "c" / "0" / "0" / "0", damage)

    result = shot(image, level=level, timeout=50)

    receipt = result.receipt
    assert receipt.time_to_complete_s < 40
    assert not receipt.complete
    assert receipt.chunks["failed"] > 0
    assert receipt.chunks["missing"] == 0
    assert receipt.pixels["empty"] == 0
    assert receipt.failures[0]["key"].endswith("c/0/0/0")
    np.testing.assert_array_equal(
        result.image[64:, :, 0], volume.max(axis=0)[64:].astype(np.uint8)
    )


@pytest.mark.parametrize(("chunk", "bad"), [(32, 1), (16, 1), (16, 5)])
def test_one_damaged_storage_chunk_changes_nothing_outside_it(
    adapter, tmp_path, new_image, chunk, bad
):
    """However many lie in a brick; each is listed and counted, and so are bricks."""
    data = np.random.default_rng(1).integers(1, 256, (64, 64, 64), dtype=np.uint8)
    folder = new_image(tmp_path / "a.zarr", data, chunk=chunk, n_levels=1)
    files = sorted((folder / "0" / "c").rglob("*"))
    files = [f for f in files if f.is_file()][1 : 1 + bad]
    corrupt(files, "truncate")
    for file in files:
        z, y, x = (int(p) * chunk for p in file.relative_to(folder / "0" / "c").parts)
        data[z : z + chunk, y : y + chunk, x : x + chunk] = 0

    result = shot(folder, size=(64, 64))

    receipt = result.receipt
    assert np.array_equal(result.image[..., 0], data.max(axis=0))
    n = (64 // chunk) ** 3
    counts = {"wanted": n, "loaded": n - bad, "missing": 0, "failed": bad}
    assert receipt.chunks == counts | {"cancelled": 0}
    assert (receipt.bricks["loaded"], receipt.bricks["damaged"]) == (1, 1)
    keys = {f.relative_to(folder).as_posix() for f in files}
    assert {f["key"] for f in receipt.failures} == keys
    assert 0 < receipt.pixels["failed"] < 1
    assert receipt.pixels["failed"] + receipt.pixels["at_target"] == pytest.approx(1)


def test_storage_chunks_that_are_not_there_are_counted_one_by_one(
    adapter, tmp_path, new_image
):
    """They are no fault: the picture is complete."""
    data = np.full((64, 64, 64), 200, np.uint8)
    folder = new_image(tmp_path / "a.zarr", data, chunk=16, n_levels=1)
    for name in ("0/0/0", "1/2/3", "3/3/3"):
        corrupt(folder / "0" / "c" / name, "delete")

    receipt = shot(folder, size=(64, 64)).receipt

    assert receipt.complete
    assert (receipt.chunks["missing"], receipt.chunks["loaded"]) == (3, 61)
    assert receipt.bricks["missing"] == 0


def test_exact_reads_of_a_damaged_brick_raise_and_beside_it_do_not(tmp_path, new_image):
    """Also when a picture has put the brick into the cache."""
    data = np.random.default_rng(1).integers(1, 256, (64, 64, 64), dtype=np.uint8)
    folder = new_image(tmp_path / "a.zarr", data, chunk=16, n_levels=1)
    corrupt(folder / "0" / "c" / "0" / "0" / "0", "truncate")
    with bf.open_store(folder) as store:
        store.get_data(ask(np.array([0]), visual_id="v"))
        store.manager.wait("v", 20)
        level = LazyLevel(store, 0, None)
        with pytest.raises(ChunkReadError, match="0/c/0/0/0"):
            np.asarray(level)
        with pytest.raises(ChunkReadError):
            store.read(0, ((0, 0, 0), (4, 4, 4)))
        assert np.array_equal(
            store.read(0, ((16, 0, 0), (32, 9, 9))), data[16:32, :9, :9]
        )


def test_a_chunk_that_is_not_there_is_the_fill_value(adapter, tmp_path, new_image):
    """And the picture is complete."""
    data = np.full((64, 64, 64), 200, np.uint8)
    folder = new_image(tmp_path / "a.zarr", data, chunk=64, n_levels=1)
    corrupt(folder / "0" / "c" / "0" / "0" / "0", "delete")

    result = shot(folder)

    assert result.receipt.complete
    assert result.receipt.chunks["missing"] == 1
    assert result.receipt.chunks["failed"] == 0
    assert not result.image[..., 0].any()


def test_a_failure_ends_the_command_with_3(command, image, tmp_path):
    """Picture and receipt are written all the same."""
    corrupt(image / "0" / "c" / "0" / "0" / "0", "garbage")
    out, receipt = tmp_path / "a.png", tmp_path / "a.json"

    ended = command(
        "render", image, "-o", out, "--receipt", receipt, "--camera", "ortho:z"
    )

    assert ended.status == 3
    assert out.exists()
    assert json.loads(receipt.read_text())["chunks"]["failed"] > 0


def test_a_busy_server_changes_nothing_but_the_time(adapter, image, volume):
    """Answers of 503 are asked for again."""
    rule = Rule("*/c/*", "error", status=503, times=1)
    with FaultServer(image.parent, rule) as server:
        result = shot(f"{server.url}/{image.name}")

    assert result.receipt.complete
    np.testing.assert_array_equal(result.image[..., 0], volume.max(axis=0))


def test_over_the_web_404_is_missing_and_403_is_failed(adapter, image):
    """Fill value and complete; or coarser and counted."""
    with FaultServer(image.parent, Rule("*/0/c/0/0/0", "error", status=404)) as server:
        missing = shot(f"{server.url}/{image.name}").receipt
    with FaultServer(image.parent, Rule("*/0/c/0/0/0", "error", status=403)) as server:
        denied = shot(f"{server.url}/{image.name}").receipt

    assert missing.complete
    assert missing.chunks["failed"] == 0
    assert not denied.complete
    assert denied.chunks["failed"] > 0


def test_a_receipt_counts_the_bytes_that_the_server_sent(adapter, image):
    """The coarsest level and what is needed, once; nothing when it is seen again."""
    with FaultServer(image.parent) as server:
        store = bf.open_store(f"{server.url}/{image.name}")
        sent_before = server.n_bytes
        first = bf.render(store, colormap="gray", **OPTIONS).receipt
        sent = server.n_bytes - sent_before
        again = bf.render(store, colormap="gray", **OPTIONS).receipt
        store.close()

    # What the server sent is told of all reads together: which of several at once
    # it came for is not known, so the least is within them but not exact.
    assert first.bytes_read == sent
    assert 0 < first.bytes_minimum <= sent
    assert again.bytes_read == again.requests == 0


def test_requests_are_those_that_the_server_got_with_shard_indices(adapter, tmp_path):
    """A shard's index is read once, also where chunks of the shard are not stored."""
    data = np.zeros((64, 64, 64), np.uint8)
    data[:40, :, 20:] = np.random.default_rng(2).integers(1, 255, (40, 64, 44))
    options = {"chunks": (16, 16, 16), "shards": (32, 32, 32), "zarr_format": 3}
    write_group(
        tmp_path / "a",
        image_attributes("zyx", [(1, 1, 1)], version="0.5"),
        zarr_format=3,
    )
    write_array(tmp_path / "a" / "0", data, **options)
    with FaultServer(tmp_path) as server:
        store = bf.open_store(f"{server.url}/a")
        n_before = server.n_requests
        look = OPTIONS | {"size": (64, 64)}
        receipt = bf.render(store, colormap="gray", **look).receipt
        n_requests = server.n_requests - n_before
        store.close()
    assert receipt.complete
    assert receipt.requests == n_requests
