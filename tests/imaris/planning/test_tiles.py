"""Every tile of level 0 is made once, with few unfinished tiles above it."""

from hypothesis import given, settings
from hypothesis import strategies as st

from brickfield.imaris.planning.levels import factors_between, level_shapes
from brickfield.imaris.planning.tiles import TileOrder, ordered_grid, tile_shapes


@st.composite
def orders(draw):
    shape = draw(st.tuples(*[st.integers(1, 14)] * 3))
    shapes = level_shapes(shape, 1, draw(st.integers(1, 5)))
    chunks = [draw(st.tuples(*[st.integers(1, 6)] * 3)) for _ in shapes]
    factors = factors_between(shapes)
    tiles = tile_shapes(chunks[0], chunks, factors)
    return TileOrder(tuple(shapes), tuple(tiles), tuple(factors)), chunks


@settings(max_examples=25, deadline=None)
@given(orders())
def test_every_tile_of_level_0_is_made_once(made):
    grid = ordered_grid(made[0])
    seen = [grid[i].index for i in range(len(grid))]
    assert len(set(seen)) == len(seen)
    assert set(seen) == {block.index for block in grid}


@settings(max_examples=25, deadline=None)
@given(orders())
def test_tiles_are_whole_chunks_and_few_are_unfinished_at_a_time(made):
    order, chunks = made
    for tile, chunk in zip(order.tiles, chunks, strict=True):
        assert all(t % c == 0 for t, c in zip(tile, chunk, strict=True))
    grid, open_tiles = ordered_grid(order), {}
    for number in range(len(grid)):
        level, index = 0, grid[number].index
        while level + 1 < len(order.shapes):
            parent = order.parent(level, index)
            key = (level + 1, parent)
            left = open_tiles.setdefault(key, order.n_children(*key)) - 1
            open_tiles[key] = left
            if left:
                break
            del open_tiles[key]
            level, index = level + 1, parent
        # In one thread, at most one tile of each level waits for its parts.
        levels = [key[0] for key in open_tiles]
        assert len(levels) == len(set(levels))
    assert not open_tiles


def test_a_tile_beyond_the_last_is_an_index_error():
    order = TileOrder(((4, 4, 4),), ((2, 2, 2),), ())
    try:
        order.at(8)
    except IndexError:
        return
    raise AssertionError
