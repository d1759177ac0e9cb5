"""A source that is opened anew beneath its readers."""

import numpy as np
import pytest

from brickfield.errors import ChunkReadError, StoreFormatError, StoreNotFoundError
from brickfield.sources.open import open_source
from brickfield.sources.protocol import ChunkSource
from brickfield.sources.replaceable import ReplaceableSource
from brickfield.testing.zarr_stores import image_attributes, ramp, write_image

OLD, NEW = ramp((4, 6, 8)), ramp((4, 6, 8), seed=1)
WHOLE = {"chunks": (4, 6, 8)}


@pytest.fixture
def place(tmp_path):
    return write_image(tmp_path / "a.zarr", [OLD], **WHOLE)


@pytest.fixture
def source(place):
    source = ReplaceableSource(lambda: open_source(place))
    yield source
    source.close()


def test_it_keeps_the_protocol(source):
    assert isinstance(source, ChunkSource)


def test_readers_get_what_was_opened_last(source, place):
    assert np.array_equal(source.read_storage_chunk(0, (0, 0, 0)).data, OLD)
    write_image(place, [NEW], **WHOLE)
    old = source.reopen()
    old.close()
    assert np.array_equal(source.read_storage_chunk(0, (0, 0, 0)).data, NEW)
    with pytest.raises(ChunkReadError):
        old.read_storage_chunk(0, (0, 0, 0))


@pytest.mark.parametrize(
    ("levels", "attributes"),
    [
        ([OLD[:3]], None),
        ([OLD.astype("u4")], None),
        ([OLD], image_attributes("zyx", [[2, 1, 1]])),
    ],
    ids=["shape", "type", "voxel size"],
)
def test_another_geometry_is_refused_and_the_old_source_stays(
    source, place, levels, attributes
):
    write_image(place, levels, attributes, chunks=(3, 6, 8))
    before = source.source_id
    with pytest.raises(StoreFormatError, match="open it again"):
        source.reopen()
    assert source.source_id == before


def test_what_is_gone_is_said_and_the_old_source_stays(source, place):
    place.rename(place.with_name("elsewhere"))
    before = source.source_id
    with pytest.raises(StoreNotFoundError):
        source.reopen()
    assert source.source_id == before
