"""Between two coordinate systems the shortest path of usable transformations counts."""

from itertools import pairwise

import numpy as np
import pytest

from brickfield.errors import OptionError, StoreFormatError
from brickfield.sources.coordinates.affine_map import inverse, shifted
from brickfield.sources.coordinates.graph import (
    CoordinateGraph,
    CoordinateSystem,
    Edge,
)
from brickfield.sources.coordinates.parse import Ways


def graph(*edges, systems="abcd"):
    """Edges are (source, target, shift) or (source, target, sentence)."""
    found = CoordinateGraph()
    for key in (("", name) if isinstance(name, str) else name for name in systems):
        found.systems[key] = CoordinateSystem(*key, ("x",))
    for source, target, what in edges:
        ways = None
        if not isinstance(what, str):
            ways = Ways(shifted([what]), inverse(shifted([what])))
        problem = what if isinstance(what, str) else ""
        found.edges.append(Edge(("", source), ("", target), ways, problem))
    return found


def moved(of, source, target):
    return float(of.between(("", source), ("", target))[0, -1])


def test_steps_are_taken_both_ways():
    found = graph(("a", "b", 1), ("c", "b", 10))
    assert moved(found, "a", "c") == -9
    assert moved(found, "c", "a") == 9


def test_a_system_is_where_it_is():
    assert moved(graph(), "a", "a") == 0


def test_the_shortest_path_counts():
    found = graph(("a", "b", 1), ("b", "c", 1), ("c", "d", 1), ("a", "d", 7))
    assert moved(found, "a", "d") == 7


def test_a_cycle_does_no_harm():
    found = graph(("a", "b", 1), ("b", "c", 1), ("c", "a", -2))
    assert moved(found, "a", "c") == 2


def test_of_equally_short_paths_the_one_listed_first_counts_and_the_others_are_told():
    found = graph(("a", "b", 1), ("b", "d", 1), ("a", "c", 5), ("c", "d", 5))
    assert moved(found, "a", "d") == 2
    assert found.is_ambiguous(("", "a"), ("", "d"))
    same = graph(("a", "b", 1), ("b", "d", 1), ("a", "c", 2), ("c", "d", 0))
    assert not same.is_ambiguous(("", "a"), ("", "d"))


def test_without_a_path_there_is_a_sentence():
    with pytest.raises(StoreFormatError, match=r"from 'a' to 'd'; found no path"):
        moved(graph(("a", "b", 1)), "a", "d")


def test_an_unusable_transformation_on_the_only_path_says_why():
    found = graph(("a", "b", "expected a matrix in t; found displacements"))
    with pytest.raises(StoreFormatError, match="found displacements"):
        moved(found, "a", "b")


def test_a_longer_path_goes_round_an_unusable_transformation():
    found = graph(("a", "b", "no"), ("a", "c", 1), ("c", "b", 1))
    assert moved(found, "a", "b") == 2


def test_a_long_chain_is_followed():
    names = [f"s{i}" for i in range(3000)]
    pairs = pairwise(names)
    found = graph(*((a, b, 1) for a, b in pairs), systems=names)
    assert moved(found, names[0], names[-1]) == 2999


def test_the_maps_from_all_systems_are_those_from_each():
    found = graph(("a", "b", 1), ("c", "b", 10), ("d", "a", "no"))
    ways = found.all_to(("", "c"))
    assert {key[1]: float(m[0, -1]) for key, m in ways.items()} == {
        name: moved(found, name, "c") for name in "abc"
    }


def test_many_equal_paths_do_not_take_forever():
    names = [f"{i}{side}" for i in range(60) for side in "ab"] + ["start"]
    edges = [("start", "0a", 1), ("start", "0b", 1)]
    edges += [
        (f"{i}{s}", f"{i + 1}{t}", 1) for i in range(59) for s in "ab" for t in "ab"
    ]
    assert moved(graph(*edges, systems=names), "start", "59a") == 60


def test_a_system_is_found_by_its_name_or_with_its_path():
    found = graph(systems=["world", ("tile", "own"), ("tile", "world")])
    assert found.find("world").key == ("", "world")
    assert found.find("own").key == ("tile", "own")
    assert found.find("tile/world").key == ("tile", "world")


def test_a_name_that_two_images_have_must_be_told_apart():
    found = graph(systems=[("a", "own"), ("b", "own")])
    with pytest.raises(OptionError, match="a/own, b/own"):
        found.find("own")
    with pytest.raises(
        OptionError, match=r"coordinate systems a/own, b/own; found 'x'"
    ):
        found.find("x")


def test_points_keep_their_form():
    found = graph(("a", "b", 2))
    a, b = found.find("a"), found.find("b")
    assert found.map_points(np.zeros((0, 1)), a, b).shape == (0, 1)
    assert found.map_points([[1.0], [2.0]], a, b).tolist() == [[3.0], [4.0]]
