"""Chunks are read by category, then priority, each once."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from brickfield.loading.queue import LOADED, READING, WAITING, LoadQueue, RequestQueue
from brickfield.model.requests import ChunkedDataRequest

wishes = st.lists(
    st.tuples(st.integers(0, 30), st.floats(-5, 5, width=32), st.integers(0, 2)),
    max_size=30,
)


def requested(items, visual_id="a", selection=()):
    keys, priorities, categories = zip(*items, strict=True) if items else ((), (), ())
    request = ChunkedDataRequest(
        visual_id,
        selection,
        np.array(keys, np.int64),
        np.array(priorities, np.float32),
        np.array(categories, np.uint8),
    )
    return RequestQueue(visual_id, request)


def drain(queue, state=READING):
    """Read everything, one after the other."""
    names = []
    for best, row in queue.heads():
        names.append((best.selection, int(best.keys[row])))
        queue.set_state(*names[-1], state)
    return names


@given(st.dictionaries(st.tuples(st.sampled_from("ab"), st.integers(0, 1)), wishes))
def test_chunks_come_by_category_then_priority_each_once(queues):
    queue = LoadQueue()
    best = {}
    for visual in "ab":
        mine = {k: v for k, v in queues.items() if k[0] == visual}
        queue.replace(
            visual, [requested(v, visual, (s,)) for (_, s), v in mine.items()]
        )
        for (_, s), items in mine.items():
            for key, priority, category in items:
                rank = (category, priority)
                best[(s,), key] = min(rank, best.get(((s,), key), rank))
    names = drain(queue)
    assert sorted(names) == sorted(best)
    ranks = [best[name] for name in names]
    assert ranks == sorted(ranks)


@given(wishes, wishes)
def test_a_new_request_changes_the_order_in_place(first, second):
    queue = LoadQueue()
    old = requested(first)
    queue.replace("a", [old])
    for i, (best, row) in enumerate(queue.heads()):
        queue.set_state((), int(best.keys[row]), READING)
        if i == 2:
            break
    reading = set(old.keys[old.state == READING].tolist())
    new = requested(second)
    queue.replace("a", [new])
    new.carry(old)
    wanted = {key for key, _, _ in second}
    assert {key for _, key in drain(queue)} == wanted - reading


def test_a_chunk_may_wait_again_and_is_found_again():
    queue = LoadQueue()
    queue.replace("a", [requested([(5, 0, 1), (6, 1, 1), (7, 2, 1)])])
    assert [k for _, k in drain(queue)] == [5, 6, 7]
    queue.set_state((), 5, WAITING)
    queue.set_state((), 6, WAITING)
    assert [k for _, k in drain(queue)] == [5, 6]


def test_a_queue_that_is_left_waiting_does_not_hold_up_the_others():
    queue = LoadQueue()
    queue.replace("a", [requested([(1, 0, 0), (2, 0, 0)], "a")])
    queue.replace("b", [requested([(3, 0, 2)], "b")])
    seen = []
    for best, row in queue.heads():
        seen.append(int(best.keys[row]))
        if best.visual_id == "b":
            queue.set_state((), seen[-1], READING)
    assert seen == [1, 3]


def test_what_was_delivered_is_fresh_when_it_is_asked_for_again():
    old = requested([(1, 0, 1), (2, 1, 1), (3, 2, 1)])
    old.state[:] = LOADED
    old.is_delivered[0] = True
    new = requested([(1, 0, 1), (2, 0, 1), (4, 0, 1)])
    assert new.carry(old).tolist() == [True, False, True]
    assert new.state.tolist() == [WAITING, LOADED, WAITING]


def test_a_chunk_is_open_while_somebody_has_not_got_it():
    queue = LoadQueue()
    queue.replace("a", [requested([(1, 0, 1)], "a")])
    queue.replace("b", [requested([(1, 0, 1), (2, 0, 1)], "b")])
    queue.queues("a")[0].state[:] = LOADED
    assert queue.open_among((), np.array([0, 1, 2])).tolist() == [False, True, True]
    queue.replace("b", [])
    assert queue.open_among((), np.array([0, 1, 2])).tolist() == [False] * 3


def test_an_end_is_not_taken_back():
    queue = LoadQueue()
    queue.replace("a", [requested([(1, 0, 1)])])
    queue.set_state((), 1, LOADED)
    queue.set_state((), 1, WAITING)
    assert queue.queues("a")[0].state.tolist() == [LOADED]


@given(wishes, wishes, st.lists(st.integers(0, 30), unique=True))
def test_waiting_chunks_among_some_come_best_first(first, second, keys):
    queue = LoadQueue()
    queue.replace("a", [requested(first, "a")])
    queue.replace("b", [requested(second, "b")])
    best = {}
    for key, priority, category in first + second:
        best[key] = min((category, priority), best.get(key, (9, 0)))
    found = queue.waiting_among((), np.array(keys, np.int64))
    assert sorted(found) == sorted(set(keys) & set(best))
    assert [best[k] for k in found] == sorted(best[k] for k in found)


@given(wishes)
def test_a_request_in_order_gives_the_queue_of_the_same_in_any_order(items):
    best = {}
    for item in items:
        best[item[0]] = min(item, best.get(item[0], item), key=lambda i: i[:0:-1])
    unique = list(best.values())
    in_order = requested(sorted(unique, key=lambda i: (i[2], i[1])))
    mixed = requested(items)
    assert in_order.keys.tolist() == mixed.keys.tolist() == sorted(best)
    assert in_order.priorities.tolist() == mixed.priorities.tolist()
    for queue in (in_order, mixed):
        ranks = [queue.rank(row) for row in queue.order]
        assert ranks == sorted(ranks)


@given(wishes, st.data())
def test_what_ended_and_was_not_taken_is_ready_most_wanted_first(items, data):
    queue = requested(items)
    n = len(queue.keys)
    states = data.draw(st.lists(st.sampled_from(range(5)), min_size=n, max_size=n))
    taken = data.draw(st.lists(st.booleans(), min_size=n, max_size=n))
    queue.state[:], queue.is_delivered[:] = states, taken
    rows = queue.ready_rows.tolist()
    is_ready = [s >= LOADED and not t for s, t in zip(states, taken, strict=True)]
    assert sorted(rows) == [row for row in range(n) if is_ready[row]]
    assert queue.n_ready == len(rows)
    ranks = [queue.rank(row) for row in rows]
    assert ranks == sorted(ranks)
