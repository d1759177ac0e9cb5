"""The order in which blocks are made."""

import pytest

from brickfield.transforms.baking.blocks import TILE, TiledGrid

SHAPES = [(1, 1, 1), (4, 4, 4), (5, 9, 3), (8, 4, 13), (1, 17, 2)]


@pytest.mark.parametrize("space", SHAPES)
@pytest.mark.parametrize("lead", [(), (3,), (2, 2)])
def test_every_block_has_one_number(space, lead):
    grid = TiledGrid(
        (*lead, *(10 * n for n in space)), (*(1 for _ in lead), 10, 10, 10)
    )
    listed = list(grid)
    assert [grid[i] for i in range(len(grid))] == listed
    assert len({b.index for b in listed}) == len(grid) == len(listed)


def test_blocks_of_a_box_follow_each_other():
    grid = TiledGrid((80, 80, 80), (10, 10, 10))
    first = [grid[i].index for i in range(TILE**3)]
    assert max(max(index) for index in first) == TILE - 1


def test_an_image_of_two_axes_has_boxes_of_two():
    grid = TiledGrid((3, 50, 70), (1, 10, 10), 2)
    assert [grid[i] for i in range(len(grid))] == list(grid)


def test_a_number_beyond_the_last_is_refused():
    with pytest.raises(IndexError):
        TiledGrid((8, 8, 8), (4, 4, 4))[8]
