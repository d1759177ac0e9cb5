"""What a benchmark came to, and its files: JSON with everything, CSV with the table."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite, prod
from os import PathLike
from pathlib import Path
from typing import Any

from brickfield.benchmarks.timing import Statistics
from brickfield.errors import StoreFormatError, StoreNotFoundError
from brickfield.model import Int3

FORMAT = "brickfield benchmark"
SCHEMA = 1
STATISTICS = ("mean_ms", "median_ms", "std_ms", "min_ms", "max_ms", "p95_ms")
COLUMNS = ("test", "size", "dtype", "iterations", *STATISTICS, "mvox_per_s", "complete")
"""Of the CSV file."""


@dataclass(frozen=True)
class TestResult:
    """Times of one test on one size.

    Attributes
    ----------
    test : str
    size : tuple of int
        Voxels (z, y, x).
    dtype : str
    times_ms : tuple of float
        Of each iteration, the warm-up left out.
    complete : bool
        Whether all iterations were done.
    error : str or None
        Why they were not, one sentence.
    further : mapping
        What only some tests tell: of ``render`` the milliseconds of its frames
        (``frame_p50_ms``, ``frame_p95_ms``), ``bytes_read`` and ``hit_rate``.
    """

    __test__ = False  # pytest takes it for a test

    test: str
    size: Int3
    dtype: str
    times_ms: tuple[float, ...] = ()
    complete: bool = True
    error: str | None = None
    further: Mapping[str, float] = field(default_factory=dict)

    @property
    def statistics(self) -> Statistics | None:
        """What the times come to; None without any."""
        return Statistics.of(list(self.times_ms))

    @property
    def mvox_per_s(self) -> float | None:
        """Millions of voxels a second, by the mean; None without times."""
        found = self.statistics
        if found is None or found.mean_ms <= 0:
            return None
        return prod(self.size) / found.mean_ms / 1e3

    @property
    def further_text(self) -> str:
        """What only some tests tell, for people; empty for the others."""
        if "frame_p50_ms" not in self.further:
            return ""
        told = self.further
        return (
            f"pictures {told['frame_p50_ms']:.4g} ms (median),"
            f" {told['frame_p95_ms']:.4g} ms (p95); {told['bytes_read'] / 1e6:.3g} MB"
            f" read; {100 * told['hit_rate']:.0f} % of the chunks were in memory"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        found = self.statistics
        numbers = {
            name: None if found is None else getattr(found, name) for name in STATISTICS
        }
        return {
            "test": self.test,
            "size": list(self.size),
            "dtype": self.dtype,
            "iterations": len(self.times_ms),
            "times_ms": list(self.times_ms),
            **numbers,
            "mvox_per_s": self.mvox_per_s,
            "complete": self.complete,
            "error": self.error,
            **self.further,
        }


@dataclass(frozen=True)
class BenchmarkResult:
    """What a benchmark came to.

    Attributes
    ----------
    started : str
        UTC, ISO 8601.
    complete : bool
        Whether every test was done whole.
    machine : mapping
        ``cpu``, ``cores``, ``memory_bytes``, ``os``, ``python``, ``gpu``.
    options : mapping
        What was asked for.
    results : tuple of TestResult
        In the order they were made.
    adapter : str
        Graphics adapter; empty without one.
    versions : mapping
        Of the packages that matter.
    values : tuple of mapping
        What the machine reaches in drawing: ``name``, ``value``, ``unit``, ``about``.
    """

    started: str
    complete: bool
    machine: Mapping[str, Any]
    options: Mapping[str, Any]
    results: tuple[TestResult, ...]
    adapter: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    values: tuple[Mapping[str, Any], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "format": FORMAT,
            "schema": SCHEMA,
            "started": self.started,
            "complete": self.complete,
            "adapter": self.adapter,
            "versions": dict(self.versions),
            "machine": dict(self.machine),
            "options": dict(self.options),
            "values": [dict(value) for value in self.values],
            "results": [found.to_dict() for found in self.results],
        }

    def to_json(self) -> str:
        """Return the text of the JSON file."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n"

    def to_csv(self) -> str:
        """Return the text of the CSV file; a size is written as ``100x100x100``."""
        text = io.StringIO()
        writer = csv.DictWriter(
            text, COLUMNS, extrasaction="ignore", lineterminator="\n"
        )
        writer.writeheader()
        for found in self.results:
            size = "x".join(map(str, found.size))
            done = str(found.complete).lower()
            writer.writerow(found.to_dict() | {"size": size, "complete": done})
        return text.getvalue()

    def write_json(self, path: str | PathLike[str]) -> None:
        """Write the JSON file.

        Raises
        ------
        StoreWriteError
            When there is no room or no right to write.
        """
        from brickfield.writing import write_text

        write_text(Path(path), self.to_json())

    def write_csv(self, path: str | PathLike[str]) -> None:
        """Write the CSV file.

        Raises
        ------
        StoreWriteError
            When there is no room or no right to write.
        """
        from brickfield.writing import write_text

        write_text(Path(path), self.to_csv())

    @classmethod
    def read_json(cls, path: str | PathLike[str]) -> BenchmarkResult:
        """Read a JSON file.

        Raises
        ------
        StoreNotFoundError
            When there is none.
        StoreFormatError
            When it is something else, or of another version.
        """
        try:
            text = Path(path).read_text("utf-8")
        except (FileNotFoundError, IsADirectoryError) as error:
            msg = f"expected a benchmark's result at {path}; found no such file"
            raise StoreNotFoundError(msg) from error
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "no text"
            raise _refusal(path, str(reason)) from error
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise _refusal(path, "no JSON") from error
        return cls.from_dict(found, path)

    @classmethod
    def from_dict(cls, found: Any, path: Any = "a dict") -> BenchmarkResult:
        """Read plain JSON values, as :meth:`to_dict` makes them.

        Parameters
        ----------
        found : object
        path : object
            Where they are from, for messages.

        Raises
        ------
        StoreFormatError
        """
        if not isinstance(found, dict):
            raise _refusal(path, "other JSON")
        if found.get("format") != FORMAT:
            what = "other JSON"
            if {"adapter", "values"} <= set(found):
                what = "one of an older brickfield: measure again"
            raise _refusal(path, what)
        if found.get("schema") != SCHEMA:
            msg = (
                f"expected schema {SCHEMA} of a benchmark's result in {path}; found"
                f" {found.get('schema')!r}: measure again, or use the version of"
                " brickfield that wrote it"
            )
            raise StoreFormatError(msg)
        try:
            return cls(
                started=str(found["started"]),
                complete=bool(found["complete"]),
                machine=dict(found["machine"]),
                options=dict(found["options"]),
                results=tuple(_read_result(row) for row in found["results"]),
                adapter=str(found.get("adapter", "")),
                versions=dict(found.get("versions", {})),
                values=tuple(dict(value) for value in found.get("values", ())),
            )
        except (KeyError, TypeError, ValueError) as error:
            what = f"a field that is missing or wrong ({error})"
            raise _refusal(path, what) from error


def _read_result(row: Any) -> TestResult:
    z, y, x = (int(n) for n in row["size"])
    times = tuple(float(t) for t in row["times_ms"])
    if not all(isfinite(t) and t >= 0 for t in times) or min(z, y, x) < 1:
        msg = "times or size"
        raise ValueError(msg)
    known = {*COLUMNS, "times_ms", "error"}
    return TestResult(
        test=str(row["test"]),
        size=(z, y, x),
        dtype=str(row["dtype"]),
        times_ms=times,
        complete=bool(row["complete"]),
        error=None if row.get("error") is None else str(row["error"]),
        further={k: float(v) for k, v in row.items() if k not in known},
    )


def _refusal(path: Any, found: str) -> StoreFormatError:
    return StoreFormatError(
        f"expected a benchmark's result (JSON) in {path}; found {found}"
    )
