"""Many tiles together give what they give one by one, and are read once."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from brickfield.model import AffineTransform
from brickfield.sources.array_libraries.source import from_arrays
from brickfield.sources.mosaic import MosaicOptions, MosaicSource, Tile, TilePlace
from brickfield.sources.mosaic import fusing as fusing_module

RNG = np.random.default_rng(5)


def turned(angle, shift, scale=1.0):
    c, s = np.cos(angle) * scale, np.sin(angle) * scale
    matrix = np.eye(4)
    matrix[1:3, 1:3] = [[c, -s], [s, c]]
    matrix[:3, 3] = shift
    return matrix


@pytest.fixture
def one_by_one(monkeypatch):
    """Return a call after which tiles are sampled one by one, or together."""

    def choose(is_so):
        monkeypatch.setattr(fusing_module, "FEW", 10_000 if is_so else 0)

    return choose


@given(
    st.lists(
        st.tuples(st.floats(-3, 3), *[st.floats(-9, 9)] * 3, st.sampled_from([1, 0.5])),
        min_size=1,
        max_size=12,
    ),
    st.sampled_from(["max", "mean", "feather", "first"]),
    st.sampled_from([0, 1]),
    st.sampled_from(["u1", "i2", "f4"]),
)
@settings(
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_many_tiles_give_what_they_give_one_by_one(
    mosaic_of, whole, one_by_one, places, overlap, order, dtype
):
    arrays = [RNG.integers(1, 99, (6, 7, 8)).astype(dtype) for _ in places]
    matrices = [turned(a, (z, y, x), scale) for a, z, y, x, scale in places]
    found = []
    for is_so in (True, False):
        one_by_one(is_so)
        source = mosaic_of(arrays, matrices, overlap=overlap, order=order)
        found.append([whole(source, n) for n in range(source.info.pyramid.n_levels)])
    for apart, together in zip(*found, strict=True):
        differs = np.abs(apart.astype(float) - together.astype(float))
        # Sums in another order round otherwise where a value lies half way.
        assert differs.max() <= (1 if order else 0)
        assert (differs > 1e-4).mean() < 0.002


@pytest.mark.parametrize("few", [0, 100])
def test_a_value_that_is_no_number_loses_against_numbers(
    mosaic_of, whole, one_by_one, few
):
    one_by_one(few)
    first, second = np.full((4, 4, 4), np.nan, "f4"), np.ones((4, 4, 4), "f4")
    for arrays in ([first, second], [second, first]):
        found = whole(mosaic_of(arrays, [np.eye(4)] * 2))
        assert (found == 1).all()


def test_after_a_move_only_the_moved_tile_is_sampled_and_nothing_is_read(
    mosaic_of, whole
):
    arrays = [RNG.integers(1, 99, (8, 8, 8)).astype("u1") for _ in range(12)]
    matrices = [turned(0.1, (0, 0, 6 * i)) for i in range(12)]
    source = mosaic_of(arrays, matrices, margin=0.5)
    whole(source)
    source.move("t3", AffineTransform.from_matrix(turned(0.3, (1, 1, 19))))
    again = source.read_storage_chunk(0, (0, 0, 0))
    assert (again.stored_bytes, again.requests) == (0, 0)
    matrices[3] = turned(0.3, (1, 1, 19))
    low, high = source.extent
    other = mosaic_of(arrays, matrices, region=(tuple(low), tuple(high)))
    np.testing.assert_array_equal(whole(source), whole(other))


@pytest.mark.parametrize("overlap", ["max", "mean", "feather", "first", "difference"])
def test_while_tiles_move_only_those_are_sampled_again(
    mosaic_of, whole, monkeypatch, overlap
):
    arrays = [RNG.integers(1, 99, (8, 8, 8)).astype("u1") for _ in range(4)]
    matrices = [turned(0.1, (0, 0, 6 * i)) for i in range(4)]
    source = mosaic_of(arrays, matrices, margin=0.5, overlap=overlap)
    low, high = source.extent
    region = (tuple(low), tuple(high))
    source.keep_parts(True)
    whole(source)
    sampled, sample = [], fusing_module.sample

    def counted(*args, **options):
        sampled.append(1)
        return sample(*args, **options)

    monkeypatch.setattr(fusing_module, "sample", counted)
    for step in range(1, 4):
        sampled.clear()
        matrices[1] = turned(0.1 + 0.1 * step, (1, 1, 6 + step))
        source.move("t1", AffineTransform.from_matrix(matrices[1]))
        found = whole(source)
        n_chunks = np.prod([-(-n // 64) for n in found.shape])
        assert len(sampled) == n_chunks
        other = mosaic_of(arrays, matrices, region=region, overlap=overlap)
        np.testing.assert_array_equal(found, whole(other))
    source.keep_parts(False)
    np.testing.assert_array_equal(whole(source), found)


def test_a_hidden_tile_is_in_no_voxel_and_comes_back(mosaic_of, whole):
    arrays = [np.full((4, 4, 4), i + 1, "u1") for i in range(3)]
    source = mosaic_of(arrays, [turned(0, (0, 0, 4 * i)) for i in range(3)])
    before = whole(source)
    source.show("t1", is_shown=False)
    hidden = whole(source)
    assert not hidden[..., 4:8].any()
    assert np.array_equal(hidden[..., :4], before[..., :4])
    source.show("t1", is_shown=True)
    assert np.array_equal(whole(source), before)


@given(
    st.lists(st.tuples(*[st.floats(-300, 300)] * 3), min_size=1, max_size=9),
    st.integers(0, 8),
)
@settings(deadline=None, max_examples=25)
def test_chunks_said_to_be_empty_hold_no_tile_also_after_moves(places, moved):
    shape = (20, 30, 40)
    tiles = [
        Tile(
            TilePlace(f"t{i}", AffineTransform.from_matrix(turned(0.4, at)), shape),
            lambda: from_arrays(np.ones(shape, "u1")),
        )
        for i, at in enumerate(places)
    ]
    region = ((-400.0,) * 3, (400.0,) * 3)
    source = MosaicSource(tiles, MosaicOptions(region=region))
    for _ in range(2):
        for level in range(source.info.pyramid.n_levels):
            about = source.info.pyramid.levels[level]
            grid = [
                -(-n // c)
                for n, c in zip(about.shape_zyx, about.storage_chunk_zyx, strict=True)
            ]
            cells = np.array(list(np.ndindex(*grid)))
            said = source.missing_chunks(level, cells)
            size = np.array(about.voxel_size_zyx)
            low = np.array(about.translation_zyx) - size / 2
            low = low + cells * np.array(about.storage_chunk_zyx) * size
            high = low + np.array(about.storage_chunk_zyx) * size
            boxes = [t.place.box() for t in tiles]
            depth = np.max(
                [np.minimum(high - a[0], a[1] - low).min(axis=1) for a in boxes], axis=0
            )
            # Where they only touch, rounding decides.
            touches = np.abs(depth) < 1e-9
            assert np.array_equal(said[~touches], depth[~touches] <= 0)
        at = moved % len(tiles)
        source.move(f"t{at}", AffineTransform.from_matrix(turned(1.0, (10, 20, 30))))


def test_two_chunks_that_need_one_of_a_tile_read_it_once(mosaic_of):
    from concurrent.futures import ThreadPoolExecutor
    from threading import Event

    source = mosaic_of([np.ones((8, 8, 140), "u1")], [np.eye(4)])
    tile = source.tiles[0].source
    read, begun, go_on = [], Event(), Event()
    original = tile.read_storage_chunk

    def slow(level, index):
        read.append(index)
        begun.set()
        assert go_on.wait(20)
        return original(level, index)

    tile.read_storage_chunk = slow
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(source.read_storage_chunk, 0, (0, 0, 0))
        assert begun.wait(20)
        second = pool.submit(source.read_storage_chunk, 0, (0, 0, 0))
        go_on.set()
        assert np.array_equal(first.result().data, second.result().data)
    assert len(read) == len(set(read))


def test_the_time_that_a_read_may_take_runs_for_each_tile_anew(mosaic_of):
    from brickfield.sources.io.cancellation import result_of, while_wanted

    source = mosaic_of([np.ones((4, 4, 4), "u1")], [np.eye(4)])
    tile = source.tiles[0].source
    original = tile.read_storage_chunk

    class Late:
        n_waits = 0

        def result(self, timeout):
            self.n_waits += 1
            if self.n_waits == 1:
                raise TimeoutError
            return "read"

        def cancel(self):
            raise AssertionError("given up")

    def slow(level, index):
        assert result_of(Late()) == "read"
        return original(level, index)

    tile.read_storage_chunk = slow
    # The limit of the whole box is over already.
    with while_wanted(lambda: True, -1.0):
        assert source.read_storage_chunk(0, (0, 0, 0)).data.all()
