"""Unknown fields are kept, older schemas are upgraded, newer ones refused."""

import json

import pytest

from brickfield.errors import StoreFormatError
from brickfield.sessions.document import SessionDocument, checked, migrated


def test_unknown_fields_are_kept_and_written_back():
    plain = SessionDocument().to_dict()
    plain["of later"] = {"a": [1, 2]}
    plain["channels"] = [{"id": 0, "name": "n", "image": "0", "laser": 488}]
    again = checked(json.loads(json.dumps(plain))).to_dict()
    assert again == plain


def test_an_older_schema_is_brought_up_step_by_step():
    steps = {
        -1: lambda data: {**data, "title": data["heading"]},
        0: lambda data: {**data, "name": data["title"]},
    }
    found = migrated({"schema": -1, "heading": "old"}, steps)
    assert (found["schema"], found["name"]) == (1, "old")


@pytest.mark.parametrize("schema", [0, 2, None, True, "1", 1.5])
def test_a_schema_without_a_way_is_refused(schema):
    with pytest.raises(StoreFormatError, match="schema"):
        checked({**SessionDocument().to_dict(), "schema": schema})


def test_a_newer_scene_is_refused_with_its_place():
    plain = SessionDocument().to_dict()
    plain["scene"]["version"] = 7
    with pytest.raises(StoreFormatError, match=r"scene: .*newer"):
        checked(plain)
