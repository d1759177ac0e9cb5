"""What a picture cost and how good it is, as values and as text."""

from __future__ import annotations

from brickfield._faces import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from brickfield.viewer.receipts import text_status as text_status
    from brickfield.viewer.receipts.fidelity import least_true as least_true
    from brickfield.viewer.receipts.fidelity import notes_of as notes_of
    from brickfield.viewer.receipts.level_names import UNNAMED as UNNAMED
    from brickfield.viewer.receipts.level_names import LevelNames as LevelNames
    from brickfield.viewer.receipts.receipt import Receipt as Receipt
    from brickfield.viewer.receipts.text_receipt import rows as rows
    from brickfield.viewer.receipts.text_receipt import sentence as sentence
    from brickfield.viewer.receipts.text_status import DOT as DOT
    from brickfield.viewer.receipts.text_status import level_estimate as level_estimate
    from brickfield.viewer.receipts.text_status import memory as memory
    from brickfield.viewer.receipts.text_status import quality as quality
    from brickfield.viewer.receipts.text_status import status as status

__all__ = [
    "DOT",
    "UNNAMED",  # Levels are told by their numbers.
    "LevelNames",  # What the levels and selections of some layers are called.
    "Receipt",  # The receipt of one picture; field names are those of the JSON.
    "least_true",  # Return the word that speaks for several pictures; "" without any.
    "level_estimate",  # Say what a forced level would take, and what happens when that is too much.
    "memory",  # Write how much of a budget is used: 412 MiB of 1 GiB.
    "notes_of",  # Return what a picture's file says of itself, by PNG keyword.
    "quality",  # Name a target screen-space error: exact, sharp, good, quick or draft.
    "rows",  # Return the receipt as a table.
    "sentence",  # Say in a sentence or two how good the picture is and what it took.
    "status",  # Say how far a picture is, beside the word of its fidelity.
    "text_status",  # What a view has to say, as text for the user.
]

_HOME = {
    "DOT": "text_status",
    "LevelNames": "level_names",
    "Receipt": "receipt",
    "UNNAMED": "level_names",
    "least_true": "fidelity",
    "level_estimate": "text_status",
    "memory": "text_status",
    "notes_of": "fidelity",
    "quality": "text_status",
    "rows": "text_receipt",
    "sentence": "text_receipt",
    "status": "text_status",
    "text_status": "text_status:",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOME)
