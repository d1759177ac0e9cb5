"""The table of measurements keeps what was not measured again."""

from __future__ import annotations

import json

from benchmarks.report import write_page
from benchmarks.rows import Row
from benchmarks.run import CASES, beside_others, rewrite
from benchmarks.summary import FELT, REASONS


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


def test_a_row_beside_a_peer_goes_when_it_is_called_otherwise(tmp_path):
    path = _table(tmp_path, Row("E1", "old name", 1.0, peer="cellier", theirs=8.0))
    now = [Row("E1", "new name", 1.1, peer="cellier", theirs=7.0)]
    assert beside_others(path, now, {"E1"}) == now


def test_a_ratio_to_a_named_peer_stays_until_that_peer_runs_again(tmp_path):
    path = _table(tmp_path, Row("E20", "render ÷ cellier 0.0.29", 0.5, measured="then"))
    alone = [Row("E20", "render ÷ bare", 0.8)]
    assert [r.what for r in beside_others(path, alone, {"E20"})] == [
        "render ÷ bare",
        "render ÷ cellier 0.0.29",
    ]
    newer = [*alone, Row("E20", "render ÷ cellier 0.0.30", 0.4)]
    assert beside_others(path, newer, {"E20"}) == newer


_ABOUT = {
    "date": "2026-01-02", "mode": "quick", "seconds": 1, "system": "Linux", "cores": 2,
    "load": 0.1, "adapter": "none", "python": "3.11", "versions": {"numpy": "2"},
}  # fmt: skip


def test_the_page_begins_with_what_a_person_feels_and_what_is_missed(tmp_path):
    rows = [
        Row("E10", "base level on screen after the view asks, local", 80.0, "ms", "≤ 100 ms", True),
        Row("E19", "turning 512³: pictures a second", 19.1, "", "≥ 20", False),
    ]  # fmt: skip
    page = tmp_path / "performance.md"
    write_page(page, rows, {"E2": "took over 300 s"}, _ABOUT)
    text = page.read_text()
    first, missed, table = (
        text.index(f"## {name}") for name in ("At a glance", "Not reached", "All rows")
    )
    assert first < missed < table
    assert "is on screen 80 ms after the view asks" in text[first:missed]
    assert "- **E19** turning 512³: pictures a second: 19.1" in text[missed:table]
    assert "software Vulkan" in text[missed:table], "and why"
    assert "**E2** could not be measured: took over 300 s" in text[missed:table]


def test_a_page_can_be_written_from_its_table_again(tmp_path):
    rows = [Row("E1", "bytes", 1.0, reached=True, measured="then")]
    page = tmp_path / "performance.md"
    write_page(page, rows, {}, _ABOUT)
    text = page.read_text()
    plain = [r.as_dict() for r in rows]
    value = {"about": _ABOUT, "rows": plain, "broken": {}}
    page.with_suffix(".json").write_text(json.dumps(value))
    page.unlink()
    rewrite(page)
    assert page.read_text() == text


def test_sentences_and_reasons_are_about_goals_that_are_measured():
    assert {felt.goal for felt in FELT} | {goal for goal, *_ in REASONS} <= set(CASES)
