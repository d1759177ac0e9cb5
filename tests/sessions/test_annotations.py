"""Layers that are no images come back as they were, or are named."""

import numpy as np
import pytest
import yaozarrs
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from brickfield.errors import StoreFormatError
from brickfield.scene import SceneState
from brickfield.sessions.annotations import read_annotation, write_annotation
from brickfield.sessions.contents import Annotation, SessionContents

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=4) | st.integers(0, 9), inner, max_size=3)
    ),
    max_leaves=8,
)
ARRAYS = hnp.arrays(
    st.sampled_from(["f4", "f8", "u1", "i8", "?"]),
    hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4),
    elements={"allow_nan": False},
)


@given(
    data=st.lists(ARRAYS, max_size=3),
    details=PLAIN,
    version=st.sampled_from(["0.4", "0.5"]),
)
def test_whatever_a_layer_is_made_of_comes_back(
    tmp_path_factory, data, details, version
):
    root = tmp_path_factory.mktemp("a")
    given_one = Annotation("one", "shapes", data, {"x": details}, 2)
    about = write_annotation(given_one, root, 0, version)
    found = read_annotation(root, about)
    assert (found.name, found.type, found.position) == ("one", "shapes", 2)
    assert found.details == {"x": details}
    assert about.left_out == ()
    for a, b in zip(found.data, data, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)


def test_what_cannot_be_kept_is_named(tmp_path):
    one = Annotation("one", "points", np.zeros((1, 3)), {"a": {"b": print}, "c": 1})
    about = write_annotation(one, tmp_path, 0, "0.5")
    assert about.left_out == ("a.b",)
    assert read_annotation(tmp_path, about).details == {"a": {}, "c": 1}


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_a_session_of_points_alone_is_valid(manager, version):
    points = Annotation("spots", "points", np.arange(12.0).reshape(4, 3))
    contents = SessionContents(SceneState(), annotations=(points,))
    path = manager.save_session(contents, "s", version=version)
    yaozarrs.validate_zarr_store(str(path))
    assert manager.info(path)["annotations"] == [{"name": "spots", "type": "points"}]
    manager.save_session(contents, "s", version=version, overwrite=True)


def test_a_spoilt_layer_is_told_in_one_sentence(tmp_path):
    about = write_annotation(
        Annotation("one", "points", np.zeros((2, 3))), tmp_path, 0, "0.5"
    )
    file = tmp_path / about.path / "zarr.json"
    file.write_text(file.read_text().replace('"a0"', '"../a0"'))
    with pytest.raises(StoreFormatError, match="expected"):
        read_annotation(tmp_path, about)
