"""A store reads exactly what is asked for, and nothing before that."""

import numpy as np
import pytest

from brickfield.errors import ChunkReadError, OptionError
from brickfield.loading import ChunkCache
from brickfield.model import CameraState, pack_keys
from brickfield.model.requests import Category
from brickfield.store.base import DataStore
from brickfield.store.image_store import ChunkedImageStore
from brickfield.store.requesting import ViewOptions
from brickfield.testing import MemorySource
from brickfield.testing.loading import all_keys, ask, numbers, voxels_of


def pyramid(shape=(64, 64, 64), storage=(16, 16, 16), chunk=(32, 32, 32)):
    fine = numbers(shape, np.uint32)
    return MemorySource([fine, fine[::2, ::2, ::2].copy()], storage, chunk=chunk)


@pytest.fixture
def open_store():
    made = []

    def make(source):
        made.append(ChunkedImageStore(source, cache=ChunkCache(1 << 24)))
        return made[-1]

    yield make
    for store in made:
        store.close()


CAMERA = CameraState(
    position=(-200.0, 31.5, 31.5),
    target=(31.5, 31.5, 31.5),
    up=(0.0, -1.0, 0.0),
    viewport=(256, 256),
    near=1.0,
    far=1000.0,
)


def test_a_store_tells_what_the_source_tells(open_store):
    source = pyramid()
    store = open_store(source)
    assert isinstance(store, DataStore)
    assert store.info is source.info
    assert store.pyramid is source.info.pyramid
    assert store.axes == source.info.pyramid.axes
    assert store.channels == source.info.channels
    assert (store.labels, store.findings) == ((), ())


def test_opening_and_closing_reads_nothing():
    source = pyramid()
    with ChunkedImageStore(source) as store:
        assert store.pyramid.n_levels == 2
    assert source.is_closed
    assert not source.order


# -- read -----------------------------------------------------------------------


@pytest.mark.parametrize("level", [0, 1])
def test_a_level_is_read_exactly(open_store, level):
    source = pyramid(shape=(50, 40, 60), storage=(16, 7, 33))
    assert np.array_equal(open_store(source).read(level), source.arrays[level])


def test_a_box_is_read_exactly_and_nothing_beside_it(open_store):
    source = pyramid()
    box = open_store(source).read(0, ((3, 17, 30), (20, 33, 34)))
    assert np.array_equal(box, source.arrays[0][3:20, 17:33, 30:34])
    assert len(source.reads) == 2 * 2 * 2
    assert set(source.reads.values()) == {1}


def test_three_slices_name_a_box_too(open_store):
    source = pyramid()
    box = open_store(source).read(0, (slice(3, 5), slice(None), slice(-4, None)))
    assert np.array_equal(box, source.arrays[0][3:5, :, -4:])


def test_an_empty_box_has_no_voxels(open_store):
    source = pyramid()
    assert open_store(source).read(0, ((3, 3, 3), (3, 4, 4))).shape == (0, 1, 1)
    assert not source.order


def test_one_selection_of_transposed_voxels_is_read(open_store):
    array = numbers((2, 7, 8, 9))
    source = MemorySource([array], (1, 4, 4, 4), axes="cxyz", chunk=(4, 4, 4))
    box = open_store(source).read(0, selection=(1,))
    assert np.array_equal(box, array[1].transpose(2, 1, 0))


def test_what_is_not_stored_is_the_fill_value(open_store):
    source = MemorySource([numbers((4, 4, 4))], (2, 4, 4), fill_value=7)
    source.missing = {(0, (1, 0, 0))}
    voxels = open_store(source).read(0)
    assert (voxels[2:] == 7).all()
    assert np.array_equal(voxels[:2], source.arrays[0][:2])
    source.tells_missing = False
    assert np.array_equal(open_store(source).read(0), voxels)


def test_a_corrupt_chunk_in_the_box_is_an_error_that_names_it(open_store):
    source = pyramid()
    source.fail(0, (1, 1, 1))
    store = open_store(source)
    with pytest.raises(ChunkReadError, match="corrupt") as caught:
        store.read(0)
    assert caught.value.key == "0/c/1/1/1"
    assert store.read(0, ((0, 0, 0), (16, 64, 64))).shape == (16, 64, 64)


@pytest.mark.parametrize(
    ("level", "region", "selection"),
    [
        (2, None, None),
        (-1, None, None),
        (0, ((0, 0, 0), (65, 1, 1)), None),
        (0, ((-1, 0, 0), (1, 1, 1)), None),
        (0, ((2, 0, 0), (1, 1, 1)), None),
        (0, None, (0,)),
    ],
)
def test_reading_what_is_not_there_is_refused(open_store, level, region, selection):
    with pytest.raises(OptionError, match=r"expected .* found"):
        open_store(pyramid()).read(level, region, selection)


# -- requests -------------------------------------------------------------------


def test_a_camera_is_planned_and_the_base_comes_first(open_store):
    store = open_store(pyramid())
    (request,) = store.get_data_request(CAMERA, visual_id="v")
    assert request.visual_id == "v"
    assert request.selection == ()
    assert request.categories[0] == Category.BASE
    assert len(request.keys) == len(set(request.keys.tolist())) > 0


def test_every_selection_gets_a_request(open_store):
    source = MemorySource([numbers((3, 32, 32, 32))], (1, 16, 16, 16), axes="czyx")
    options = ViewOptions(((0,), (2,)))
    requests = open_store(source).get_data_request(CAMERA, options=options)
    assert [r.selection for r in requests] == [(0,), (2,)]


def test_a_box_finds_the_chunks_that_meet_it(open_store):
    store = open_store(pyramid())
    box = [(2.0, 2.0, 2.0), (20.0, 20.0, 40.0)]
    options = ViewOptions(((),), max_scales=1)
    (request,) = store.get_data_request(box, options=options)
    expected = pack_keys(0, np.array([[0, 0, 0], [0, 0, 1]]))
    assert sorted(request.keys.tolist()) == sorted(expected.tolist())


def test_inside_finds_only_whole_chunks(open_store):
    store = open_store(pyramid())
    box = [(-1.0, -1.0, -1.0), (32.0, 32.0, 50.0)]
    options = ViewOptions(((),), max_scales=1)
    (request,) = store.get_data_request(box, "inside", options=options)
    assert request.keys.tolist() == pack_keys(0, np.array([[0, 0, 0]])).tolist()


def test_a_region_wants_coarse_before_fine(open_store):
    store = open_store(pyramid())
    (request,) = store.get_data_request([(0.0, 0.0, 0.0), (63.0, 63.0, 63.0)])
    levels = request.keys >> 57
    assert levels.tolist() == sorted(levels.tolist(), reverse=True)
    assert set(levels.tolist()) == {0, 1}
    assert (np.diff(request.priorities) >= 0).all()


def test_unknown_tilings_and_regions_are_refused(open_store):
    store = open_store(pyramid())
    with pytest.raises(OptionError, match="expected a tiling"):
        store.get_data_request(CAMERA, "octree")
    with pytest.raises(OptionError, match="expected a CameraState"):
        store.get_data_request([1.0, 2.0])
    with pytest.raises(OptionError, match="non-spatial axis"):
        store.get_data_request(CAMERA, options=ViewOptions(((5,),)))


# -- data -----------------------------------------------------------------------


def test_an_answer_names_what_is_here_and_what_is_coming(open_store):
    source = pyramid()
    store = open_store(source)
    request = ask(all_keys(source), visual_id="v")
    source.gate.clear()
    answer = store.get_data(request)
    assert answer.chunk_data == []
    assert [c.key for c in answer.missing_chunks] == request.keys.tolist()
    source.gate.set()
    assert store.manager.wait("v", 20)
    answer = store.get_data(request)
    assert answer.missing_chunks == []
    assert answer.loading_status.is_complete
    for data, about in zip(answer.chunk_data, answer.chunk_metadata, strict=True):
        assert np.array_equal(data, voxels_of(source, about.chunk_id.key))


def test_metadata_give_the_place_in_the_world(open_store):
    source = pyramid()
    store = open_store(source)
    request = ask(all_keys(source, 1), visual_id="v")
    store.get_data(request)
    assert store.manager.wait("v", 20)
    (about,) = store.get_data(request).chunk_metadata
    assert about.scale_level == 1
    assert about.priority == 0
    assert about.world_bounds == ((-0.5, -0.5, -0.5), (63.5, 63.5, 63.5))


def test_missing_chunks_are_given_as_fill_value_and_failed_ones_are_listed(open_store):
    source = MemorySource(
        [numbers((8, 4, 4))], (4, 4, 4), chunk=(4, 4, 4), fill_value=5
    )
    source.missing = {(0, (0, 0, 0))}
    source.fail(0, (1, 0, 0))
    store = open_store(source)
    request = ask(all_keys(source), visual_id="v")
    store.get_data(request)
    assert store.manager.wait("v", 20)
    answer = store.get_data(request)
    (data,) = answer.chunk_data
    assert data.dtype == np.uint16
    assert (data == np.full((4, 4, 4), 5)).all()
    assert [f.key for f in answer.failures] == ["0/c/1/0/0"]


# -- contrast -------------------------------------------------------------------


def test_contrast_is_estimated_from_the_coarsest_level_alone(open_store):
    source = pyramid()
    low, high = open_store(source).estimate_contrast()
    assert {level for level, _ in source.order} == {1}
    values = source.arrays[1]
    assert low == pytest.approx(np.percentile(values, 0.1), rel=0.05)
    assert high == pytest.approx(np.percentile(values, 99.9), rel=0.05)


def test_contrast_is_estimated_once_for_each_selection(open_store):
    array = np.stack([np.full((4, 4, 4), v, np.uint8) for v in (3, 9)])
    source = MemorySource([array], (1, 4, 4, 4), axes="czyx")
    store = open_store(source)
    assert [store.estimate_contrast(s)[1] for s in ((0,), (1,), (0,))] == [3, 9, 3]
    assert sum(source.reads.values()) == 2


def test_a_large_single_level_is_sampled(open_store):
    far = np.broadcast_to(np.uint16(77), (4096, 4096, 4096))
    source = MemorySource([far], (64, 64, 64))
    assert open_store(source).estimate_contrast() == (0, 77)
    assert len(source.order) <= 27


def test_contrast_survives_what_cannot_be_read(open_store):
    source = MemorySource([numbers((4, 4, 4))], (4, 4, 4))
    source.fail(0, (0, 0, 0))
    assert open_store(source).estimate_contrast() == (0, 1)


# -- ends -----------------------------------------------------------------------


def test_forgetting_looks_again(open_store):
    source = MemorySource([np.full((4, 4, 4), 3, np.uint8)], (4, 4, 4))
    store = open_store(source)
    assert store.estimate_contrast() == (0, 3)
    source.arrays[0] = source.arrays[0] + 4
    version = store.data_version.value
    store.forget()
    assert store.data_version.value > version
    assert store.estimate_contrast() == (0, 7)


def test_closing_twice_is_harmless(open_store):
    store = open_store(pyramid())
    assert store.manager is store.manager
    store.close()
    store.close()
