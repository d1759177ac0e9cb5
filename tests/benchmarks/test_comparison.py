"""Two results side by side."""

import pytest

from brickfield.benchmarks import BenchmarkResult, TestResult, compare
from brickfield.errors import StoreFormatError

SIZE = (10, 10, 10)


def result(*rows):
    return BenchmarkResult("2026", True, {}, {}, rows)


def row(*times, test="shift", size=SIZE):
    return TestResult(test, size, "uint16", times)


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        ((10, 11, 9), (20, 21, 19), "slower"),
        ((20, 21, 19), (10, 11, 9), "faster"),
        ((10, 12, 8), (11, 13, 9), "same"),  # within two standard errors
        ((100.0,), (101.9,), "same"),  # less than 2 %
        ((100.0,), (102.1,), "slower"),
        ((100.0, 100.0), (98.1, 98.1), "same"),
        ((100.0, 100.0), (97.9, 97.9), "faster"),
        ((10, 11, 9), (10, 11, 9), "same"),
    ],
)
def test_a_change_exceeds_the_spread_and_two_hundredths(old, new, change):
    (found,) = compare(result(row(*old)), result(row(*new)))
    mean_old, mean_new = sum(old) / len(old), sum(new) / len(new)
    assert found == {
        "test": "shift",
        "size": [10, 10, 10],
        "old_ms": pytest.approx(mean_old),
        "new_ms": pytest.approx(mean_new),
        "ratio": pytest.approx(mean_new / mean_old),
        "change": change,
    }


def test_two_standard_errors_of_the_difference_are_the_border():
    """s = 1 and n = 4 on both sides: two errors are 2·√(1/4 + 1/4) = 1.41."""
    spread = (-1.0, -0.5, 0.5, 1.0)  # sum of squares 2.5
    s = (2.5 / 3) ** 0.5
    times = [10 + v / s for v in spread]
    for gap, change in ((1.40, "same"), (1.43, "slower")):
        new = [t + gap for t in times]
        (found,) = compare(result(row(*times)), result(row(*new)))
        assert found["change"] == change


def test_only_what_both_have_is_compared(tmp_path):
    old = result(
        row(1), row(2, test="read"), row(3, size=(9, 9, 9)), row(test="stream")
    )
    new = result(row(5, test="read"), row(4), row(6, test="stream"))
    old.write_json(tmp_path / "a.json")
    found = compare(tmp_path / "a.json", new.to_dict())
    assert [(r["test"], r["old_ms"], r["new_ms"]) for r in found] == [
        ("shift", 1, 4),
        ("read", 2, 5),
    ]


def test_a_file_of_another_version_is_told(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"format": "brickfield benchmark", "schema": 9}')
    with pytest.raises(StoreFormatError, match="schema"):
        compare(path, result())
