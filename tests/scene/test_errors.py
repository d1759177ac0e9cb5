"""A place in a document is written as people would."""

import pytest

from brickfield.scene.document import place_of


@pytest.mark.parametrize(
    ("loc", "text"),
    [
        (("layers", 2, "contrast"), "layers[2].contrast"),
        (("layers", 0, "source", "store", "uri"), "layers[0].source.uri"),
        (("layers", 0, "name"), "layers[0].name"),
        (("layers", 1, "colormap", "stops", 0, 4), "layers[1].colormap[0][4]"),
        (("views", "cameras", "3D", "fov"), "views.cameras.3D.fov"),
        ((), "the document"),
    ],
)
def test_a_place_is_a_path(loc, text):
    assert place_of(loc) == text
