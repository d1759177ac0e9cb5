"""The table of measurements keeps what was not measured again."""

from __future__ import annotations

import json

from benchmarks.rows import Row
from benchmarks.run import beside_others


def _table(tmp_path, *rows):
    path = tmp_path / "performance.json"
    about = {"date": "2026-01-02", "versions": {"napari-brickfield": "1.0"}}
    plain = [{k: v for k, v in r.as_dict().items() if v != ""} for r in rows]
    path.write_text(json.dumps({"about": about, "rows": plain}))
    return path


def test_rows_of_other_goals_stay_with_the_version_that_measured_them(tmp_path):
    path = _table(tmp_path, Row("E2", "old", 1.0), Row("E1", "gone", 2.0))
    rows = beside_others(path, [Row("E1", "new", 3.0, measured="now")], {"E1"})
    assert [(r.goal, r.what, r.measured) for r in rows] == [
        ("E1", "new", "now"),
        ("E2", "old", "2026-01-02 1.0"),
    ]


def test_a_goal_that_broke_keeps_its_rows(tmp_path):
    path = _table(tmp_path, Row("E1", "old", 1.0, measured="then"))
    (row,) = beside_others(path, [], set())
    assert (row.what, row.measured) == ("old", "then")


def test_a_row_beside_a_peer_stays_where_the_peer_cannot_run(tmp_path):
    beside = Row("E1", "bytes", 1.0, peer="cellier", theirs=8.0, measured="then")
    path = _table(tmp_path, beside, Row("E1", "alone", 1.0))
    now = [Row("E1", "bytes", 1.1), Row("E1", "alone", 1.2)]
    rows = beside_others(path, now, {"E1"})
    assert [(r.what, r.ours, r.peer) for r in rows] == [
        ("bytes", 1.0, "cellier"),
        ("alone", 1.2, ""),
    ]
    again = [Row("E1", "bytes", 1.1, peer="cellier", theirs=7.0)]
    assert beside_others(path, again, {"E1"})[0].theirs == 7.0


def test_without_a_table_the_rows_are_those_of_the_run(tmp_path):
    rows = [Row("E1", "bytes", 1.0)]
    assert beside_others(tmp_path / "none.json", rows, {"E1"}) == rows
