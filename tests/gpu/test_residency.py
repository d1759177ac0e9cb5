"""The least recently used chunk is evicted first, and a wanted one never."""

from hypothesis import given
from hypothesis import strategies as st

from brickfield.gpu.allocator import SimpleTextureAllocator
from brickfield.gpu.level_texture import LevelResidency


def _residency(n):
    return LevelResidency(SimpleTextureAllocator((n, 1, 1), (1, 1, 1)))


def _name(key):
    return (0, key)


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 12)), max_size=60),
    st.integers(1, 5),
    st.sets(st.integers(0, 12), max_size=4),
    st.sets(st.integers(0, 12), max_size=4),
)
def test_the_least_recently_used_leaves_but_never_a_wanted_one(
    steps, n, wanted, protected
):
    wanted, protected = {_name(k) for k in wanted}, {_name(k) for k in protected}
    residency, order = _residency(n), []
    for is_touch, key in steps:
        name = _name(key)
        if is_touch:
            residency.touch([name])
            if name in order:
                order.remove(name)
                order.append(name)
            assert (name[1] in residency.keys_of(name[0])) == (name in order)
            continue
        before = list(order)
        slot, evicted = residency.place(name, wanted, protected)
        if name in before or len(before) < n:
            assert evicted is None
        else:
            free = [o for o in before if o not in wanted]
            plain = [o for o in free if o not in protected]
            assert evicted == (plain or free or [None])[0]
        if evicted is not None:
            order.remove(evicted)
        if slot is None:
            assert len(before) == n
            assert set(before) <= wanted
        else:
            order = [o for o in order if o != name] + [name]
            assert residency.slot_of(name) == slot
        assert residency.names() == order
        slots = [residency.slot_of(o) for o in order]
        assert len(set(slots)) == len(order) <= n


def test_a_dropped_chunk_frees_its_slot():
    residency = _residency(1)
    residency.place(_name(1), (), ())
    residency.drop(_name(1))
    assert len(residency) == 0
    assert _name(1) not in residency
    assert residency.place(_name(2), (), ()) == ((0, 0, 0), None)
    residency.drop(_name(3))
