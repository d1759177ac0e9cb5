"""A progress bar is shown on a terminal only, with what is done of all."""

import io

from rich.console import Console

from brickfield.cli.progress import progress_bar


def told(is_terminal, unit="frames", done=3, total=8):
    """What a console got that was told of 3 frames out of 8."""
    out = io.StringIO()
    console = Console(file=out, force_terminal=is_terminal, width=100)
    with progress_bar("reading", unit, console=console) as tell:
        tell(done, total)
    return out.getvalue()


def test_a_terminal_is_told_what_is_done_of_all():
    text = told(is_terminal=True)
    assert "reading" in text
    assert "3/8" in text
    assert "frames" in text


def test_a_file_gets_no_bar():
    assert told(is_terminal=False) == ""


def test_bytes_are_written_as_people_write_them():
    assert "64.0/128.0 MiB" in told(True, "bytes", 64 << 20, 128 << 20)
