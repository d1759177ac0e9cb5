"""A view's objects come, change in place and go."""

import numpy as np
import pytest

from brickfield.rendering.objects.values import Lines, Points, Surface

RED, BLUE = (1.0, 0.0, 0.0, 1.0), (0.0, 0.0, 1.0, 1.0)
TRIANGLE = np.array([[5, 5, 5], [5, 35, 5], [5, 5, 35]], float)


def points(y=20.0, color=RED, n=1) -> Points:
    return Points(
        positions=[[5, y, 10 + 8 * i] for i in range(n)], sizes=6, colors=color,
        symbols="square",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (points(), points(y=8, color=BLUE)),
        (
            Surface(vertices=TRIANGLE, faces=[[0, 1, 2]], colors=RED),
            Surface(vertices=TRIANGLE + 3, faces=[[0, 2, 1]], colors=BLUE),
        ),
        (
            Lines(paths=(TRIANGLE,), colors=RED, width=3),
            Lines(paths=(TRIANGLE[::-1] + 2,), colors=BLUE, width=6),
        ),
    ],
)
def test_a_change_of_the_same_size_is_drawn_in_the_same_object(
    with_objects, slab, old, new
):
    view = with_objects(slab, {"it": old})
    before = view.image()
    (kept,) = view.objects.children
    assert view.object_set.show({"it": new})
    assert view.objects.children == (kept,)
    after = view.image()
    assert (before[..., 0] == 255).any()
    assert not (after[..., 0] == 255).any()
    assert (after[..., 2] == 255).any()
    fresh = with_objects(slab, {"it": new}).image()
    assert (after == fresh).all(), "as if it had been so from the beginning"


def test_the_same_value_again_costs_nothing(with_objects, slab):
    value = points()
    view = with_objects(slab, {"it": value})
    assert not view.object_set.show({"it": value})


def test_more_points_and_other_kinds_replace_the_object(with_objects, slab):
    view = with_objects(slab, {"it": points(n=1)})
    view.image()
    for value in (
        points(n=3),
        Surface(vertices=TRIANGLE, faces=[[0, 1, 2]], colors=RED),
        Lines(paths=(TRIANGLE,), colors=RED),
    ):
        view.object_set.show({"it": value})
        assert len(view.objects.children) == 1
        assert (view.image() == with_objects(slab, {"it": value}).image()).all()


def test_what_is_taken_away_leaves_the_picture_as_it_was(with_objects, slab):
    plain = with_objects(slab, {}).image()
    view = with_objects(slab, {"a": points(), "b": points(y=8)})
    assert (view.image() != plain).any()
    view.object_set.show({"a": points()})
    assert len(view.objects.children) == 1
    view.object_set.close()
    assert not view.objects.children
    assert (view.image() == plain).all()


def test_empty_and_hidden_objects_are_not_in_the_scene(with_objects, slab):
    view = with_objects(slab, {"a": Points(positions=[]), "b": points()})
    assert len(view.objects.children) == 1
    hidden = Points(positions=[[5, 5, 5]], visible=False)
    view.object_set.show({"a": hidden, "b": hidden})
    assert not view.objects.children


def test_points_nowhere_do_not_spoil_the_others(with_objects, slab):
    some = Points(
        positions=[[np.nan, 1, 1], [5, 20, 20], [np.inf, 0, 0]], sizes=6, colors=RED,
        symbols="square",
    )  # fmt: skip
    alone = Points(positions=[[5, 20, 20]], sizes=6, colors=RED, symbols="square")
    image = with_objects(slab, {"it": some}).image()
    assert (image == with_objects(slab, {"it": alone}).image()).all()


def test_objects_of_others_in_the_scene_stay(with_objects, slab):
    import pygfx as gfx

    view = with_objects(slab, {"it": points()})
    foreign = gfx.Mesh(gfx.box_geometry(1, 1, 1), gfx.MeshBasicMaterial())
    view.objects.add(foreign)
    view.object_set.close()
    assert view.objects.children == (foreign,)
