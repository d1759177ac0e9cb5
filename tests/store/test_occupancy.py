"""A chunk is empty exactly when nothing is stored under it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from brickfield.model import unpack_keys
from brickfield.store.occupancy import MOST_SELECTIONS, Answers, Occupancy
from brickfield.testing import MemorySource
from brickfield.testing.loading import all_keys


@st.composite
def sources(draw):
    axes = draw(st.sampled_from(["zyx", "czyx", "xyzt"]))
    shape = tuple(draw(st.integers(1, 10 if a in "zyx" else 3)) for a in axes)
    storage = tuple(draw(st.integers(1, 6 if a in "zyx" else 2)) for a in axes)
    chunk = tuple(draw(st.integers(1, 6)) for _ in range(3))
    source = MemorySource([np.ones(shape, np.uint8)], storage, axes=axes, chunk=chunk)
    grid = tuple(-(-n // s) for n, s in zip(shape, storage, strict=True))
    names = [(0, i) for i in np.ndindex(grid)]
    source.missing = set(draw(st.lists(st.sampled_from(names))))
    return source


@given(sources(), st.data())
def test_a_chunk_is_empty_when_nothing_is_stored_under_it(source, data):
    stored = np.ones(source.arrays[0].shape, bool)
    for name in source.missing:
        stored[source._slices(name)] = False
    level = source.info.pyramid.levels[0]
    others = source.info.pyramid.other_axes
    volume = stored.transpose(*others, *level.spatial_axes).any(
        axis=tuple(range(len(others)))
    )
    occupancy = Occupancy(source)
    indices = unpack_keys(all_keys(source))[1]
    for _ in range(3):
        some = indices[data.draw(st.lists(st.integers(0, len(indices) - 1)))]
        starts = some * np.array(level.chunk_shape)
        expected = [
            not volume[tuple(slice(o, o + c) for o, c in zip(s, level.chunk_shape, strict=True))].any()
            for s in starts.tolist()
        ]  # fmt: skip
        assert occupancy(0, some).tolist() == expected


@given(st.lists(st.dictionaries(st.integers(0, 2**61), st.booleans(), max_size=900)))
def test_answers_are_found_again_as_they_were_given(batches):
    answers, known = Answers(), {}
    for batch in batches:
        keys = np.array(sorted(batch), dtype=np.int64)
        is_known, values = answers.look_up(keys)
        assert is_known.tolist() == [k in known for k in keys.tolist()]
        assert values.tolist() == [known.get(k, False) for k in keys.tolist()]
        new = [k for k in keys.tolist() if k not in known]
        known |= {k: batch[k] for k in new}
        answers.add(
            np.array(new, dtype=np.int64), np.array([batch[k] for k in new], bool)
        )
    assert len(answers) == len(known)


def test_many_answers_are_found_again_after_the_table_has_grown():
    rng, answers = np.random.default_rng(0), Answers()
    keys = np.unique(rng.integers(0, 1 << 40, 40_000))
    values = rng.random(len(keys)) < 0.5
    for part in np.array_split(np.arange(len(keys)), 50):
        answers.add(keys[part], values[part])
    is_known, found = answers.look_up(keys)
    assert is_known.all()
    assert (found == values).all()
    assert not answers.look_up(keys + (1 << 40))[0].any()


def test_a_chunk_is_asked_for_once():
    source = MemorySource([np.ones((8, 8, 8))], (4, 4, 4), chunk=(4, 4, 4))
    asked = []
    answer = source.missing_chunks

    def count(level, indices):
        asked.append(len(indices))
        return answer(level, indices)

    source.missing_chunks = count
    occupancy = Occupancy(source)
    indices = unpack_keys(all_keys(source))[1]
    occupancy(0, indices[:5])
    occupancy(0, indices)
    occupancy(0, indices)
    assert asked == [5, 3]
    occupancy.forget()
    occupancy(0, indices)
    assert asked == [5, 3, 8]


def test_a_source_that_cannot_tell_is_not_asked_again():
    source = MemorySource([np.ones((8, 8, 8))], (4, 4, 4), chunk=(4, 4, 4))
    asked = []
    source.missing_chunks = lambda *_: asked.append(1)
    occupancy = Occupancy(source)
    assert occupancy(0, np.zeros((1, 3), int)) is None
    assert occupancy(0, np.zeros((1, 3), int)) is None
    assert asked == [1]


def test_a_long_series_is_not_searched():
    n = MOST_SELECTIONS + 1
    source = MemorySource([np.ones((n, 4, 4, 4))], (1, 4, 4, 4), axes="tzyx")
    assert Occupancy(source)(0, np.zeros((1, 3), int)) is None


@given(sources(), st.data())
def test_chunks_of_all_levels_together_are_answered_as_level_by_level(source, data):
    keys = all_keys(source)
    keys = np.array(data.draw(st.lists(st.sampled_from(keys.tolist()), min_size=1)))
    apart, together = Occupancy(source), Occupancy(source)
    levels, indices = unpack_keys(keys)
    found = together.among(keys)
    for level in np.unique(levels).tolist():
        rows = levels == level
        np.testing.assert_array_equal(found[rows], apart(level, indices[rows]))
    np.testing.assert_array_equal(together.among(keys), found)


def test_where_no_level_can_be_told_nothing_is_known_of_any_chunk():
    source = MemorySource([np.ones((8, 8, 8))], (4, 4, 4), chunk=(4, 4, 4))
    source.missing_chunks = lambda *_: None
    occupancy = Occupancy(source)
    assert not occupancy.among(all_keys(source)).any()
    assert occupancy.among(all_keys(source)) is None
