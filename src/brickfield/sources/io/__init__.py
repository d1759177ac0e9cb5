"""Where bytes come from: files, web servers, object stores."""

from __future__ import annotations

from brickfield._faces import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from brickfield.sources.io.cancellation import LONGEST_S as LONGEST_S
    from brickfield.sources.io.cancellation import SLOWEST as SLOWEST
    from brickfield.sources.io.cancellation import at_end as at_end
    from brickfield.sources.io.cancellation import is_ending as is_ending
    from brickfield.sources.io.cancellation import while_wanted as while_wanted
    from brickfield.sources.io.plain_files import local_path as local_path
    from brickfield.sources.io.plain_files import may_write as may_write
    from brickfield.sources.io.plain_files import open_regular as open_regular
    from brickfield.sources.io.plain_files import read_head as read_head
    from brickfield.sources.io.plain_files import read_whole as read_whole

__all__ = [
    "LONGEST_S",  # A wait that would else be endless (no connection, a trickle) ends after so long.
    "SLOWEST",  # Decoded bytes a second at which a slow line still counts as alive.
    "at_end",  # Call a function when the program ends, before its threads are waited for.
    "is_ending",  # Whether the program is ending; its main thread no longer answers.
    "local_path",  # Path of a local file or folder, given as a path or a ``file://`` URI.
    "may_write",  # Tell whether a file or folder may be written to.
    "open_regular",  # Open a regular file for reading, unbuffered; never wait for a pipe's writer.
    "read_head",  # Read the first bytes of a file, fewer where it is shorter.
    "read_whole",  # Read a whole file of at most `limit` bytes.
    "while_wanted",  # Let the waits of this thread end as soon as a read is not wanted any more.
]

_HOME = {
    "LONGEST_S": "cancellation",
    "SLOWEST": "cancellation",
    "at_end": "cancellation",
    "is_ending": "cancellation",
    "local_path": "plain_files",
    "may_write": "plain_files",
    "open_regular": "plain_files",
    "read_head": "plain_files",
    "read_whole": "plain_files",
    "while_wanted": "cancellation",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOME)
