"""What images a store holds, under which names, and how each is opened."""

from __future__ import annotations

from brickfield._faces import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from brickfield.sources.images.catalogue import Catalogue as Catalogue
    from brickfield.sources.images.catalogue import list_images as list_images
    from brickfield.sources.images.choice import without_image as without_image
    from brickfield.sources.images.entry import ImageEntry as ImageEntry
    from brickfield.sources.images.entry import Plate as Plate
    from brickfield.sources.images.entry import WellPlace as WellPlace
    from brickfield.sources.images.notes import notes_on_choice as notes_on_choice
    from brickfield.sources.images.notes import notes_on_placement as notes_on_placement
    from brickfield.sources.images.notes import notes_on_room as notes_on_room
    from brickfield.sources.images.notes import notes_on_values as notes_on_values
    from brickfield.sources.images.notes import refuse_preview as refuse_preview

__all__ = [
    "Catalogue",  # What a store holds. Any thread, but one at a time.
    "ImageEntry",  # One image of a store.
    "Plate",  # A plate as its metadata draw it.
    "WellPlace",  # One well: its path in the store, and where it is on the plate.
    "list_images",  # List the images of a store; see :class:`Catalogue`.
    "notes_on_choice",  # Say which image of several was taken.
    "notes_on_placement",  # Say that what turns, shears or mirrors an image is not written.
    "notes_on_room",  # Say that the empty room round the images of a mosaic is not written.
    "notes_on_values",  # Say that voxels are written that the source calls none.
    "refuse_preview",  # Refuse to write from the preview that a session keeps.
    "without_image",  # Put what opens an image in place of its name.
]

_HOME = {
    "Catalogue": "catalogue",
    "ImageEntry": "entry",
    "Plate": "entry",
    "WellPlace": "entry",
    "list_images": "catalogue",
    "notes_on_choice": "notes",
    "notes_on_placement": "notes",
    "notes_on_room": "notes",
    "notes_on_values": "notes",
    "refuse_preview": "notes",
    "without_image": "choice",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOME)
