"""Slots never overlap, and a grid is as small as it can be."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brickfield.gpu.allocator import (
    SLOTS_PER_AXIS,
    SimpleTextureAllocator,
    TextureRegion,
    choose_grid,
    fitting_grid,
)


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 30)), max_size=120),
    st.tuples(*[st.integers(1, 3)] * 3),
)
def test_no_two_chunks_share_a_slot(steps, grid):
    size = tuple(g * 10 + 3 for g in grid)
    allocator = SimpleTextureAllocator(size, (10, 10, 10))
    assert allocator.grid == grid
    held = {}
    for is_taking, name in steps:
        if is_taking:
            slot = allocator.allocate(name)
            if slot is None:
                assert len(held) == allocator.capacity
                assert name not in held
                assert not allocator.can_allocate()
            else:
                assert held.get(name, slot) == slot
                held[name] = slot
        else:
            allocator.deallocate(name)
            held.pop(name, None)
        assert allocator.taken() == held
        assert len(set(held.values())) == len(held)
        assert allocator.n_free == allocator.capacity - len(held)
    for slot in held.values():
        assert all(0 <= s < g for s, g in zip(slot, grid, strict=True))


def test_a_chunk_larger_than_a_slot_finds_no_place():
    allocator = SimpleTextureAllocator((20, 20, 20), (10, 10, 10))
    assert allocator.can_allocate((10, 10, 10))
    assert not allocator.can_allocate((11, 10, 10))
    assert allocator.allocate("a", (10, 10, 11)) is None
    assert allocator.slot_of("a") is None


@given(st.integers(1, 90), st.tuples(*[st.integers(1, 6)] * 3))
@settings(max_examples=80)
def test_a_grid_is_the_smallest_that_holds_the_slots(n_slots, limits):
    gx, gy, gz = choose_grid(n_slots, limits)
    assert all(1 <= g <= m for g, m in zip((gx, gy, gz), limits, strict=True))
    sizes = [
        x * y * z for x, y, z in product(*(range(1, m + 1) for m in limits)) if x >= y
    ]
    enough = [s for s in sizes if s >= n_slots]
    biggest = limits[0] * limits[1] * limits[2]
    assert gx * gy * gz == (min(enough) if n_slots < biggest and enough else biggest)


@pytest.mark.parametrize("n_slots", [1, 7, 58, 67, 233, 997, 4001])
def test_a_grid_wastes_little_where_the_device_leaves_room(n_slots):
    gx, gy, gz = choose_grid(n_slots, (62, 62, 62))
    assert n_slots <= gx * gy * gz <= n_slots * 1.02 + 1


def test_a_grid_has_no_more_slots_along_an_axis_than_a_row_can_name():
    assert max(choose_grid(10**6, (500, 500, 500))) == SLOTS_PER_AXIS


def test_a_region_is_a_value():
    region = TextureRegion("level-0", (1, 1, 1), (8, 8, 8), ((0, 0, 0), (1, 1, 1)))
    with pytest.raises(AttributeError):
        region.offset = (2, 2, 2)


def test_a_texture_that_gets_larger_never_has_more_slots_than_rows_can_name():
    """Slots of thin bricks are so flat that a texture would hold more along z."""
    grid = fitting_grid(72, 72, 80, (15, 15, 170), (1, 1, 24))
    assert max(grid) <= SLOTS_PER_AXIS
    assert grid[0] * grid[1] * grid[2] >= 72
    assert fitting_grid(48, 48, 80, (15, 15, 170), (1, 1, 24)) == (1, 1, 48)
