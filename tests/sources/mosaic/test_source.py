"""A mosaic is what numpy and scipy make of its tiles, voxel by voxel."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from brickfield.errors import ChunkReadError, OptionError
from brickfield.model import AffineTransform
from brickfield.sources.array_libraries.source import from_arrays
from brickfield.sources.mosaic import (
    MosaicOptions,
    MosaicSource,
    Tile,
    TilePlace,
    changes_of,
    options_with,
)
from brickfield.sources.protocol import ChunkSource, UnlikeError

RNG = np.random.default_rng(3)
A, B = (RNG.integers(1, 250, (10, 12, 14)).astype("u1") for _ in range(2))


def shift(z=0.0, y=0.0, x=0.0):
    matrix = np.eye(4)
    matrix[:3, 3] = z, y, x
    return matrix


def test_tiles_beside_one_another_are_copied_exactly(mosaic_of, whole):
    source = mosaic_of([A, B], [shift(), shift(x=14)])
    assert isinstance(source, ChunkSource)
    assert np.array_equal(whole(source), np.concatenate([A, B], axis=2))


@pytest.mark.parametrize(
    ("overlap", "expected"),
    [
        ("max", np.maximum(A, B)),
        ("mean", np.rint((A.astype(float) + B) / 2)),
        ("first", A),
        ("feather", np.rint((A.astype(float) + B) / 2)),
    ],
)
def test_voxels_at_one_place_become_one(mosaic_of, whole, overlap, expected):
    source = mosaic_of([A, B], [shift(), shift()], overlap=overlap)
    assert np.array_equal(whole(source), expected)


def test_a_feathered_seam_follows_the_distances_to_the_edges(mosaic_of, whole):
    low, high = np.full((20, 20, 20), 10, "u1"), np.full((20, 20, 20), 110, "u1")
    source = mosaic_of([low, high], [shift(), shift(x=10)], overlap="feather")
    seam = whole(source)[10, 10, 10:20].astype(float)
    near = np.arange(10) + 0.5
    assert np.array_equal(seam, np.rint((10 * near[::-1] + 110 * near) / 10))


@pytest.mark.parametrize("overlap", ["max", "mean", "feather"])
def test_the_order_of_tiles_does_not_count(mosaic_of, whole, overlap):
    ways = [shift(), shift(3, 2, 5)]
    there = whole(mosaic_of([A, B], ways, overlap=overlap))
    back = whole(mosaic_of([B, A], ways[::-1], overlap=overlap))
    assert np.array_equal(there, back)


ANGLES = st.floats(-3, 3)


@st.composite
def affines(draw):
    z, y, x = (draw(ANGLES) for _ in range(3))
    turn = np.eye(3)
    for a, (i, j) in ((z, (1, 2)), (y, (0, 2)), (x, (0, 1))):
        step = np.eye(3)
        step[i, i] = step[j, j] = np.cos(a)
        step[i, j], step[j, i] = -np.sin(a), np.sin(a)
        turn = turn @ step
    matrix = np.eye(4)
    matrix[:3, :3] = turn @ np.diag([draw(st.floats(0.7, 2)) for _ in range(3)])
    matrix[:3, 3] = [draw(st.floats(-8, 8)) for _ in range(3)]
    return matrix


@given(
    st.lists(affines(), min_size=2, max_size=8),
    st.sampled_from(["max", "mean", "feather", "first"]),
    st.sampled_from([0, 1]),
)
@settings(
    deadline=None,
    max_examples=25,
    # Its fixtures are functions without state.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_turned_tiles_equal_scipy(whole, resampled, matrices, overlap, order):
    arrays = [
        np.random.default_rng(i).random((6, 7, 8)).astype("f4")
        for i in range(len(matrices))
    ]
    tiles = [
        Tile(
            TilePlace(f"t{i}", AffineTransform.from_matrix(m), a.shape),
            lambda a=a: from_arrays(a),
        )
        for i, (a, m) in enumerate(zip(arrays, matrices, strict=True))
    ]
    options = MosaicOptions(overlap=overlap, order=order)
    source = MosaicSource(tiles, options)
    from_scipy, weights, unsure = [], [], []
    for array, matrix in zip(arrays, matrices, strict=True):
        values, inside, depth, near = resampled(source, array, matrix, order)
        from_scipy.append(values)
        weights.append(
            inside * (np.maximum(depth, 1e-6) if overlap == "feather" else 1.0)
        )
        unsure.append(near)
    values, weights = np.array(from_scipy), np.array(weights)
    there = weights.sum(0) > 0
    if overlap == "max":
        expected = np.where(weights > 0, values, -np.inf).max(0)
    elif overlap == "first":
        expected = np.take_along_axis(values, (weights > 0).argmax(0)[None], 0)[0]
    else:
        expected = (values * weights).sum(0) / np.where(there, weights.sum(0), 1)
    found = whole(source)
    # At an edge, and half way between voxels with order 0, rounding decides.
    sure = ~np.any(unsure, 0)
    differs = np.abs(found - np.where(there, expected, 0)) > 1e-4
    share = (differs & sure).mean()
    assert share == 0 if order == 1 else share < 0.01


def test_coarse_levels_lie_where_the_fine_ones_do(mosaic_of, whole):
    ramp = np.tile(np.arange(130, dtype="f4"), (4, 130, 1))
    source = mosaic_of([ramp], [shift()])
    about = source.info.pyramid.levels
    assert len(about) > 1
    for number, level in enumerate(about):
        x = np.arange(level.shape_zyx[2]) * level.voxel_size_zyx[2]
        x = x + level.translation_zyx[2]
        inner = slice(1, -1)
        found = whole(source, number)[0, 1]
        np.testing.assert_allclose(found[inner], x[inner], atol=0.51)


def test_where_no_tile_is_nothing_is_stored(mosaic_of):
    source = mosaic_of([A, B], [shift(), shift(y=300)])
    about = source.info.pyramid.levels[0]
    counts = [
        -(-n // c)
        for n, c in zip(about.shape_zyx, about.storage_chunk_zyx, strict=True)
    ]
    indices = np.array(list(np.ndindex(*counts)))
    missing = source.missing_chunks(0, indices)
    empty = [
        source.read_storage_chunk(0, tuple(i)).data is None for i in indices.tolist()
    ]
    assert missing.tolist() == empty
    assert any(empty)


def test_a_tile_of_another_type_is_told_when_it_is_read(mosaic_of):
    source = mosaic_of([A, B.astype("f4")], [shift(), shift()])
    with pytest.raises(
        ChunkReadError, match=r"'t1' to have voxels of type uint8.*float32"
    ):
        source.read_storage_chunk(0, (0, 0, 0))


def test_channels_and_times_are_those_of_the_tiles():
    data = RNG.integers(0, 99, (2, 3, 4, 5, 6)).astype("u2")
    tiles = [
        Tile(
            TilePlace(f"t{i}", AffineTransform.from_matrix(shift(x=6 * i)), (4, 5, 6)),
            lambda: from_arrays(data, axes="tczyx"),
        )
        for i in range(2)
    ]
    source = MosaicSource(tiles)
    assert source.info.pyramid.levels[0].shape == (2, 3, 4, 5, 12)
    found = source.read_storage_chunk(0, (1, 2, 0, 0, 0)).data
    assert np.array_equal(found[0, 0], np.concatenate([data[1, 2]] * 2, axis=2))


def test_a_tile_of_one_time_is_in_no_other():
    data = RNG.integers(1, 99, (2, 4, 5, 6)).astype("u2")
    tiles = [
        Tile(
            TilePlace(f"t{i}", AffineTransform(), (4, 5, 6), time=i),
            lambda: from_arrays(data, axes="tzyx"),
        )
        for i in range(2)
    ]
    source = MosaicSource([tiles[1]])
    assert source.read_storage_chunk(0, (0, 0, 0, 0)).data is None
    assert np.array_equal(source.read_storage_chunk(0, (1, 0, 0, 0)).data[0], data[1])


def test_each_storage_chunk_of_a_tile_is_read_once(mosaic_of, whole):
    source = mosaic_of([np.zeros((70, 70, 70), "u1")], [shift(0.5, 0.5, 0.5)])
    tile = source.tiles[0].source
    read = []
    original = tile.read_storage_chunk

    def counted(level, index):
        read.append((level, index))
        return original(level, index)

    tile.read_storage_chunk = counted
    whole(source)
    assert len(read) == len(set(read))


def test_a_region_is_a_part_of_the_whole(mosaic_of, whole):
    ways = [shift(), shift(3, 2, 5)]
    every = whole(mosaic_of([A, B], ways))
    part = mosaic_of([A, B], ways, region=((1.5, 2.5, 3.5), (6.5, 9.5, 12.5)))
    assert np.array_equal(whole(part), every[2:7, 3:10, 4:13])


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"overlap": "sum"}, "an overlap out of max, mean, feather, first"),
        ({"order": 3}, "order 0 or 1"),
        ({"spacing": (1, 0, 1)}, "numbers above 0"),
        ({"region": ((5, 0, 0), (4, 9, 9))}, "ends rise"),
        ({"region": ((500, 0, 0), (600, 9, 9))}, "meets the tiles"),
        ({"spacing": (1e-15, 1, 1)}, "a size that can be drawn"),
    ],
)
def test_what_cannot_be_made_is_refused_in_a_sentence(mosaic_of, options, sentence):
    with pytest.raises(OptionError, match=sentence):
        mosaic_of([A], [shift()], **options)


@pytest.mark.parametrize("matrix", [np.zeros((4, 4)), np.full((4, 4), np.nan)])
def test_a_matrix_that_cannot_be_inverted_is_refused(mosaic_of, matrix):
    with pytest.raises(OptionError, match="'t0' that can be inverted"):
        mosaic_of([A], [matrix])


def test_a_moved_tile_is_where_it_was_put(mosaic_of, whole):
    room = {"region": ((-0.5, -0.5, -0.5), (19.5, 11.5, 13.5))}
    source = mosaic_of([A, B], [shift(), shift(z=3)], **room)
    source.move("t1", AffineTransform.from_matrix(shift(z=5)))
    other = mosaic_of([A, B], [shift(), shift(z=5)], **room)
    assert np.array_equal(whole(source), whole(other))


def test_a_tile_may_not_be_moved_out_of_the_mosaic(mosaic_of):
    source = mosaic_of([A, B], [shift(), shift(z=3)])
    with pytest.raises(OptionError, match="open the mosaic anew"):
        source.move("t1", AffineTransform.from_matrix(shift(z=500)))
    with pytest.raises(OptionError, match=r"name of a tile \(t0, t1\); found 'x'"):
        source.move("x", AffineTransform())


@pytest.mark.parametrize("level", [0, 1, 2])
def test_without_room_a_mosaic_ends_with_its_tiles_and_no_voxel_moves(
    mosaic_of, whole, level
):
    """Also where tiles lie at parts of voxels, and of a coarser level."""
    arrays = [RNG.integers(1, 250, (30, 90, 100)).astype("u1") for _ in range(2)]
    ways = [shift(), shift(3.5, -20.25, 70.75)]
    roomy = mosaic_of(arrays, ways, margin=0.37)
    tight = roomy.without_room(level)
    about, before = (s.info.pyramid.levels[level] for s in (tight, roomy))
    size = np.array(about.voxel_size_zyx)
    first = np.subtract(about.translation_zyx, before.translation_zyx) / size
    assert np.array_equal(first, np.rint(first))
    box = tuple(
        slice(int(a), int(a) + n) for a, n in zip(first, about.shape_zyx, strict=True)
    )
    every = whole(roomy, level)
    assert np.array_equal(whole(tight, level), every[box])
    assert every[box].astype(int).sum() == every.astype(int).sum()
    low, high = tight.extent
    step = size if level else np.ones(3)
    ends = np.array([[-0.5, -20.75, -0.5], [33.0, 89.5, 170.25]])
    assert ((low <= ends[0]) & (low > ends[0] - step)).all()
    assert ((high >= ends[1]) & (high < ends[1] + 1)).all()


def test_without_room_only_shown_tiles_count(mosaic_of, whole):
    source = mosaic_of([A, B], [shift(), shift(x=14)])
    source.show("t1", is_shown=False)
    tight = source.without_room()
    assert np.array_equal(whole(tight), A)
    assert "left out the empty room" in tight.info.findings[-1].text


def test_a_region_that_was_asked_for_keeps_its_room(mosaic_of):
    region = ((-9, -9, -9), (30, 30, 30))
    source = mosaic_of([A, B], [shift(), shift(x=14)], region=region)
    assert source.without_room() is source
    assert source.seen_as(source.options).without_room().grid == source.grid
    changes = changes_of(source)
    assert changes["grid"]["is_chosen"]
    assert not options_with(changes).has_room


def test_a_mosaic_that_has_grown_ends_with_its_tiles_without_room(mosaic_of, whole):
    source = mosaic_of([A, B], [shift(), shift(x=14)])
    grown, _ = source.grown_to(np.full(3, -40.0), np.full(3, 40.0))
    tight = grown.without_room()
    assert tight.grid.shapes[0] == source.grid.shapes[0]
    assert np.array_equal(whole(tight), whole(source))
    assert "is_chosen" not in changes_of(grown)["grid"]


def test_without_room_a_mosaic_does_not_follow_moves(mosaic_of, whole):
    """What is written is of one piece, whatever a hand does meanwhile."""
    source = mosaic_of([A, B], [shift(), shift(x=14)], margin=1)
    tight = source.without_room()
    before = whole(tight)
    source.move("t1", AffineTransform.from_matrix(shift(2, 2, 2)))
    source.show("t0", is_shown=False)
    assert np.array_equal(whole(tight), before)


def test_another_look_reads_a_tile_that_turned_out_to_be_unlike(mosaic_of, whole):
    """It is opened anew where it was opened, not only where it is looked at."""
    source = mosaic_of([A, B], [shift(), shift(x=14)])
    tile = source.tile("t1").source

    def unlike(level, index):
        msg = "expected what the first one has"
        raise UnlikeError(msg)

    tile.read_storage_chunk = unlike
    look = source.seen_as(source.options)
    assert np.array_equal(whole(look), np.concatenate([A, B], axis=2))
