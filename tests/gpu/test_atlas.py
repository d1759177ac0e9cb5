"""Textures grow, shrink and keep their bricks within the budget."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brickfield.errors import BudgetError
from brickfield.gpu import atlas as atlas_module
from brickfield.gpu.allocator import choose_grid
from brickfield.gpu.atlas import TextureAtlas
from brickfield.gpu.formats import choose_format
from brickfield.gpu.layout import LevelLayout
from brickfield.model import ChunkId
from brickfield.testing.textures import LivingTextures

pytestmark = pytest.mark.gpu

MIB = 1 << 20


def _atlas(adapter, edges=(6, 6, 6), budget=1 << 16, dtype="u1", **options):
    fmt = choose_format(np.dtype(dtype))
    layouts = [LevelLayout((edge,) * 3, (1, 1, 1), fmt.itemsize) for edge in edges]
    return TextureAtlas(layouts, fmt, budget, adapter, **options)


def _read(atlas, region, level=0):
    """The own voxels of a chunk, straight from the texture."""
    handle = atlas.texture(level).handle
    itemsize = atlas.format.itemsize
    w, h, d = region.size
    raw = atlas._gpu.device.queue.read_texture(
        {"texture": handle, "origin": region.offset},
        {"bytes_per_row": w * itemsize, "rows_per_image": h},
        region.size,
    )
    return np.frombuffer(raw, atlas.format.upload_dtype).reshape(d, h, w)


def _brick(i, edge=6, dtype="u1"):
    rng = np.random.default_rng(i)
    return rng.integers(0, 250, (edge,) * 3).astype(dtype)


def _chunk(i, level=0):
    return ChunkId(level, (i, 2 * i, 0))


def test_an_uploaded_chunk_is_where_its_region_says(adapter):
    atlas = _atlas(adapter)
    for i in range(5):
        region = atlas.upload_chunk(_chunk(i), _brick(i))
        assert region == atlas.get_chunk_region(_chunk(i))
        size = atlas.texture(0).size
        low, high = region.texture_coordinates
        np.testing.assert_allclose(np.array(low) * size, region.offset)
        np.testing.assert_allclose(np.subtract(high, low) * size, region.size)
    for i in range(5):
        region = atlas.get_chunk_region(_chunk(i))
        np.testing.assert_array_equal(_read(atlas, region), _brick(i))
    atlas.destroy()


def test_a_cut_chunk_keeps_its_size(adapter):
    atlas = _atlas(adapter)
    region = atlas.upload_chunk(_chunk(0), _brick(0)[:3, :4])
    assert region.size == (6, 4, 3)
    np.testing.assert_array_equal(_read(atlas, region), _brick(0)[:3, :4])
    atlas.destroy()


def test_an_unknown_chunk_has_no_region(adapter):
    atlas = _atlas(adapter)
    assert atlas.get_chunk_region(_chunk(0)) is None
    atlas.upload_chunk(_chunk(0), _brick(0))
    assert atlas.get_chunk_region(_chunk(1)) is None
    assert atlas.get_chunk_region(_chunk(0, level=2)) is None
    atlas.destroy()


def test_a_full_atlas_evicts_the_least_recently_used(adapter):
    slot = 8**3
    atlas = _atlas(adapter, edges=[6], budget=4 * slot)
    atlas.ensure_capacity([4])
    for i in range(4):
        atlas.upload_chunk(_chunk(i), _brick(i))
    atlas.get_chunk_region(_chunk(0))
    atlas.upload_chunk(_chunk(4), _brick(4))
    assert atlas.get_chunk_region(_chunk(1)) is None
    for i in (0, 2, 3, 4):
        region = atlas.get_chunk_region(_chunk(i))
        np.testing.assert_array_equal(_read(atlas, region), _brick(i))
    assert atlas.gpu_bytes <= atlas.budget_bytes
    atlas.destroy()


def test_a_budget_of_less_than_a_brick_is_refused(adapter):
    atlas = _atlas(adapter, budget=100)
    with pytest.raises(BudgetError, match="raise the GPU budget"):
        atlas.upload_chunk(_chunk(0), _brick(0))


def test_more_need_than_budget_is_refused(adapter):
    atlas = _atlas(adapter, budget=10 * 8**3)
    with pytest.raises(BudgetError, match="plan within the budget"):
        atlas.ensure_capacity([11, 0, 0])


def test_growing_keeps_the_bricks(adapter):
    atlas = _atlas(adapter, budget=1 << 20)
    atlas.ensure_capacity([3, 0, 0])
    for i in range(3):
        atlas.upload_chunk(_chunk(i), _brick(i))
    before = atlas.version
    slots = [atlas.slot_of((0, _chunk(i).key)) for i in range(3)]
    assert atlas.ensure_capacity([40, 5, 0]) == [], "they keep their slots"
    assert slots == [atlas.slot_of((0, _chunk(i).key)) for i in range(3)]
    assert atlas.version > before
    for i in range(3):
        region = atlas.get_chunk_region(_chunk(i))
        np.testing.assert_array_equal(_read(atlas, region), _brick(i))
    atlas.destroy()


def test_shrinking_keeps_the_bricks_used_last(adapter):
    slot = 8**3
    atlas = _atlas(adapter, edges=[6, 5], budget=64 * slot)
    atlas.ensure_capacity([30, 0])
    for i in range(30):
        atlas.upload_chunk(_chunk(i), _brick(i))
    atlas.set_budget(60 * slot)
    atlas.ensure_capacity([8, 40])
    kept = [i for i in range(30) if atlas.get_chunk_region(_chunk(i)) is not None]
    assert kept == list(range(30 - len(kept), 30))
    for i in kept:
        region = atlas.get_chunk_region(_chunk(i))
        np.testing.assert_array_equal(_read(atlas, region), _brick(i))
    assert atlas.capacities()[0] >= 8
    assert atlas.capacities()[1] >= 40
    assert atlas.gpu_bytes <= 60 * slot
    atlas.destroy()


def test_moved_chunks_are_all_named(adapter):
    atlas = _atlas(adapter, edges=[6], budget=1 << 20)
    places = {}
    for i in range(12):
        atlas.upload_chunk(_chunk(i), _brick(i))
        places[(0, _chunk(i).key)] = atlas.slot_of((0, _chunk(i).key))
    moved = set(atlas.ensure_capacity([60]))
    for name, slot in places.items():
        assert name in moved or atlas.slot_of(name) == slot
    atlas.destroy()


@pytest.mark.parametrize(("dtype", "edge"), [("u1", 64), ("u2", 64), ("f4", 64)])
@given(data=st.data())
@settings(max_examples=30)
def test_nearly_all_of_the_budget_serves_any_mix_of_levels(adapter, dtype, edge, data):
    # Textures without a brick are not made on the device yet: this is cheap.
    budget = data.draw(st.integers(64, 2048)) * MIB
    atlas = _atlas(adapter, edges=[edge] * 6, budget=budget, dtype=dtype)
    slot = atlas.layouts[0].slot_bytes
    for _ in range(4):
        shares = np.array(
            data.draw(st.lists(st.integers(0, 9), min_size=6, max_size=6))
        )
        n = int(0.93 * budget / slot)
        need = (n * shares / max(shares.sum(), 1)).astype(int)
        atlas.ensure_capacity(need.tolist())
        assert atlas.has_room(need.tolist())
        assert atlas.gpu_bytes <= budget


@given(
    st.lists(st.lists(st.integers(0, 9), min_size=3, max_size=3), max_size=6),
    st.lists(st.integers(30, 60), min_size=6, max_size=6),
)
@settings(max_examples=30)
def test_living_textures_never_exceed_the_budget(adapter, needs, budgets):
    atlas = _atlas(adapter, edges=[6, 5, 5], budget=budgets[0] * 8**3)
    with LivingTextures(adapter.device) as living:
        for step, need in enumerate(needs):
            atlas.set_budget(budgets[step] * 8**3)
            before = living.nbytes
            living.peak_bytes = 0
            moved = atlas.ensure_capacity(need)
            assert living.peak_bytes <= max(atlas.budget_bytes, before)
            assert living.nbytes <= atlas.gpu_bytes <= atlas.budget_bytes
            resident = {name for name in moved if name in atlas}
            assert all(atlas.slot_of(name) is not None for name in resident)
            for level, n in enumerate(need):
                for i in range(n):
                    chunk = ChunkId(level, (i, step % 2, 0))
                    atlas.upload_chunk(
                        chunk, _brick(i, atlas.layouts[level].brick_zyx[0])
                    )
            for level, n in enumerate(need):
                edge = atlas.layouts[level].brick_zyx[0]
                for i in range(n):
                    region = atlas.get_chunk_region(ChunkId(level, (i, step % 2, 0)))
                    if region is not None:
                        found = _read(atlas, region, level)
                        np.testing.assert_array_equal(found, _brick(i, edge))
            assert living.nbytes <= atlas.budget_bytes
        atlas.destroy()
        assert living.nbytes == atlas.gpu_bytes == 0


def test_levels_of_equal_bricks_share_a_texture_that_is_made_once(adapter):
    atlas = _atlas(adapter, budget=60 * 8**3)
    with LivingTextures(adapter.device) as living:
        for need in ([40, 5, 1], [2, 50, 1], [10, 10, 30], [55, 1, 1]):
            assert atlas.ensure_capacity(need) == []
            atlas.upload_chunk(_chunk(0), _brick(0))
        assert living.n_made == 1
    assert atlas.texture(0) is atlas.texture(2)
    atlas.destroy()


def test_no_grid_is_looked_for_while_nothing_is_short(adapter):
    atlas = _atlas(adapter, budget=60 * 8**3)
    atlas.ensure_capacity([40, 5, 1])
    looked_for = choose_grid.cache_info().misses
    for n in range(1, 46):
        assert atlas.ensure_capacity([n, 1, 0]) == []
    assert choose_grid.cache_info().misses == looked_for
    atlas.destroy()


def test_what_does_not_fit_beside_its_successor_goes_first(adapter):
    atlas = _atlas(adapter, edges=[6], budget=20 * 8**3)
    atlas.ensure_capacity([2])
    for i in range(2):
        atlas.upload_chunk(_chunk(i), _brick(i))
    atlas.set_budget(24 * 8**3)
    with LivingTextures(adapter.device) as living:
        names = [(0, _chunk(i).key) for i in range(2)]
        assert atlas.ensure_capacity([24]) == names
        assert not any(name in atlas for name in names)
        atlas.upload_chunk(_chunk(0), _brick(0))
        assert (living.n_made, living.nbytes) == (1, 24 * 8**3)
    atlas.destroy()


def test_a_small_texture_is_copied_into_one_of_nearly_the_whole_budget(adapter):
    slot, names = 8**3, [(0, _chunk(i).key) for i in range(20)]
    atlas = _atlas(adapter, edges=[6], budget=1000 * slot)
    with LivingTextures(adapter.device) as living:
        atlas.ensure_capacity([20])
        for i in range(20):
            atlas.upload_chunk(_chunk(i), _brick(i))
        slots = [atlas.slot_of(name) for name in names]
        sent = atlas.upload_bytes
        assert atlas.ensure_capacity([900]) == [], "nothing is sent again"
        assert living.peak_bytes <= 1000 * slot
        assert living.n_made == 2
    assert [atlas.slot_of(name) for name in names] == slots
    assert atlas.upload_bytes == sent
    assert atlas.capacities()[0] >= 940
    for i in range(20):
        region = atlas.get_chunk_region(_chunk(i))
        np.testing.assert_array_equal(_read(atlas, region), _brick(i))
    version = atlas.version
    assert atlas.ensure_capacity([999]) == [], "a few slots are not worth it"
    assert not atlas.has_room([999])
    assert atlas.version == version
    atlas.destroy()


def test_software_grows_by_steps_where_clearing_is_dear(adapter):
    need, slot = 300, 66**3
    budgets = {"dear": 1024 * MIB, "cheap": 128 * MIB}
    slots = {}
    for name, budget in budgets.items():
        atlas = _atlas(replace(adapter, is_software=True), edges=[64], budget=budget)
        atlas.ensure_capacity([need])
        slots[name] = atlas.capacities()[0]
    assert need <= slots["dear"] <= 2.2 * need
    assert slots["cheap"] * slot >= 0.94 * budgets["cheap"]
    atlas = _atlas(
        replace(adapter, is_software=False), edges=[64], budget=budgets["dear"]
    )
    atlas.ensure_capacity([need])
    assert atlas.gpu_bytes >= 0.94 * budgets["dear"], "a device clears it at once"


def test_selections_have_small_numbers(adapter):
    atlas = _atlas(adapter)
    assert [atlas.plane_of(s) for s in ((0, 3), (1, 3), (0, 3))] == [0, 1, 0]
    assert atlas.selection_of(1) == (1, 3)


def test_a_level_that_nobody_needs_can_go(adapter):
    atlas = _atlas(adapter, edges=[6, 5], budget=20 * 8**3)
    atlas.ensure_capacity([4, 6])
    name = (0, _chunk(0).key)
    atlas.place(name, (), ())
    assert atlas.ensure_capacity([0, 20]) == [name]
    assert atlas.capacities()[0] == 0
    assert atlas.has_room([0, 20])
    assert atlas.texture(0) is None
    assert name not in atlas


def test_a_level_gets_no_more_slots_than_it_has_chunks(adapter):
    atlas = _atlas(adapter, budget=1 << 20, grid_chunks=[10, 1, 1])
    atlas.ensure_capacity([9, 1, 1])
    assert atlas.capacities() == [12], "all levels have equal slots"


def test_what_is_written_is_handed_over_every_16_mib(adapter, monkeypatch):
    atlas = _atlas(adapter, edges=[126], budget=32 * 2 * MIB)
    monkeypatch.setattr(atlas_module, "_STAGED", {})
    queue, submits = adapter.device.queue, []
    submit = queue.submit
    monkeypatch.setattr(
        queue, "submit", lambda b: (submits.append(len(b)), submit(b)), raising=False
    )
    atlas.ensure_capacity([20])
    for i in range(20):
        atlas.upload_chunk(_chunk(i), _brick(0, edge=126))
    assert submits == [0] * 5, "80 MiB: the driver keeps rows of 128 bytes as 256"
    atlas.destroy()
