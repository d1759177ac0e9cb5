"""Errors become exit statuses and one sentence."""

import re
import subprocess
import sys

import pytest

import brickfield.sources.open


def test_the_version_is_printed(command):
    ended = command("--version")
    assert ended.status == 0
    assert re.match(r"brickfield \d+\.\d+", ended.out)


def test_help_names_the_commands(command):
    ended = command("--help")
    assert ended.status == 0
    for command in ("info", "render", "pyramid", "demo"):
        assert command in ended.out


@pytest.mark.parametrize(
    "args",
    [
        ("nothing-like-this",),
        ("info",),
        ("info", "a", "b"),
        ("render", "a"),
        ("render", "a", "-o", "a.png", "--gamma", "high"),
    ],
)
def test_wrong_usage_ends_with_2(command, args):
    ended = command(*args)
    assert ended.status == 2
    assert ended.out == ""


def test_a_file_that_is_not_there_ends_with_2_and_one_sentence(command, tmp_path):
    ended = command("info", tmp_path / "nothing.ome.zarr")
    assert ended.status == 2
    assert ended.out == ""
    assert ended.err.count("\n") == 1
    assert "nothing.ome.zarr" in ended.err
    assert "Traceback" not in ended.err


def test_an_unexpected_error_is_one_sentence_with_a_hint(command, monkeypatch):
    def fail(uri):
        raise KeyError(uri)

    monkeypatch.setattr(brickfield.sources.open, "open_source", fail)
    ended = command("info", "anything")
    assert ended.status == 2
    assert ended.err.count("\n") == 1
    assert "KeyError" in ended.err
    assert "BRICKFIELD_DEBUG=1" in ended.err


def test_an_unexpected_error_has_its_traceback_when_asked_for(command, monkeypatch):
    def fail(uri):
        raise KeyError(uri)

    monkeypatch.setattr(brickfield.sources.open, "open_source", fail)
    monkeypatch.setenv("BRICKFIELD_DEBUG", "1")
    with pytest.raises(KeyError):
        command("info", "anything")


def test_an_interruption_ends_with_130(command, monkeypatch):
    def interrupt(uri):
        raise KeyboardInterrupt

    monkeypatch.setattr(brickfield.sources.open, "open_source", interrupt)
    assert command("info", "anything").status == 130


def test_the_installed_command_and_the_module_are_the_same():
    run = subprocess.run(
        [sys.executable, "-m", "brickfield.cli.main", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.startswith("brickfield ")
