"""What controls of a window show and change, without a window."""

from __future__ import annotations

from brickfield._faces import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from brickfield.viewer.controls.clip_handles import Face as Face
    from brickfield.viewer.controls.clip_handles import Knob as Knob
    from brickfield.viewer.controls.clip_handles import dragged as dragged_clip_handle
    from brickfield.viewer.controls.clip_handles import edges as edges
    from brickfield.viewer.controls.clip_handles import face_under as face_under
    from brickfield.viewer.controls.clip_handles import knobs as knobs
    from brickfield.viewer.controls.clip_handles import moved as moved
    from brickfield.viewer.controls.clip_handles import within as within
    from brickfield.viewer.controls.histogram import USUAL_PERCENT as USUAL_PERCENT
    from brickfield.viewer.controls.histogram import Histogram as Histogram
    from brickfield.viewer.controls.histogram import auto_contrast as auto_contrast
    from brickfield.viewer.controls.histogram import columns as columns
    from brickfield.viewer.controls.histogram import heights as heights
    from brickfield.viewer.controls.histogram_jobs import (
        coarsest_histogram as coarsest_histogram,
    )
    from brickfield.viewer.controls.histogram_jobs import (
        exact_histogram as exact_histogram,
    )
    from brickfield.viewer.controls.level_estimates import LEVEL_COLORS as LEVEL_COLORS
    from brickfield.viewer.controls.level_estimates import (
        LevelEstimate as LevelEstimate,
    )
    from brickfield.viewer.controls.level_estimates import (
        estimate_levels as estimate_levels,
    )
    from brickfield.viewer.controls.tiles import BOX_EDGES as BOX_EDGES
    from brickfield.viewer.controls.tiles import MosaicTiles as MosaicTiles
    from brickfield.viewer.controls.tiles import corners_of_tile as corners_of_tile
    from brickfield.viewer.controls.tiles import gone_in_picture as gone_in_picture
    from brickfield.viewer.controls.tiles import mosaic_of as mosaic_of
    from brickfield.viewer.controls.transfer import OPAQUE as OPAQUE
    from brickfield.viewer.controls.transfer import RAMP as RAMP
    from brickfield.viewer.controls.transfer import curve_of as curve_of
    from brickfield.viewer.controls.transfer import removed as removed
    from brickfield.viewer.controls.transfer import with_curve as with_curve
    from brickfield.viewer.controls.transfer_plot import dragged as dragged_curve_point
__all__ = [
    "BOX_EDGES",  # Pairs of corners of a box that an edge joins.
    "LEVEL_COLORS",  # Colours that tell levels in a picture (they repeat after eight).
    "OPAQUE",  # No curve.
    "RAMP",
    "USUAL_PERCENT",
    "Face",  # One face of a box.
    "Histogram",  # Counts between edges.
    "Knob",  # Where a face can be taken hold of.
    "LevelEstimate",  # One level of everything that is drawn.
    "MosaicTiles",  # The tiles of one mosaic, as a hand moves them.
    "auto_contrast",  # Choose contrast limits, low below high, for a histogram or values of any shape.
    "coarsest_histogram",  # Count the coarsest level, and load it if it is not in memory.
    "columns",  # Spread counts over the columns of a picture.
    "corners_of_tile",  # Return the corners of a tile, shape (8, 3), (z, y, x), world of the scene.
    "curve_of",  # Return a curve that gives a table's alpha exactly, with few points.
    "dragged_clip_handle",  # Move a face along its normal by a drag of its knob.
    "dragged_curve_point",  # Return the look that a drag makes of the look when it began.
    "edges",  # Return the box's edges as lines in the picture.
    "estimate_levels",  # Estimate every level that a visible layer has, finest first.
    "exact_histogram",  # Count every voxel of a level, block by block, in bounded memory.
    "face_under",  # Return the face whose knob lies under a pixel, the nearest to the camera.
    "gone_in_picture",  # Return the way of the world that a drag in the plane of the picture is.
    "heights",  # Return heights from 0 to 1 for drawing; a single voxel can still be seen.
    "knobs",  # Place the knobs of all faces that can be dragged.
    "mosaic_of",  # Return the mosaic that a layer shows; None for any other image.
    "moved",  # Move a face to a coordinate, within the bounds and not beyond the opposite face.
    "removed",  # Remove a point; the two ends stay.
    "with_curve",  # Return a table of colours with the alpha of a curve.
    "within",  # Return the part of a box within bounds; infinite ends become finite.
]

_HOME = {
    "Face": "clip_handles",
    "Histogram": "histogram",
    "Knob": "clip_handles",
    "LEVEL_COLORS": "level_estimates",
    "LevelEstimate": "level_estimates",
    "BOX_EDGES": "tiles",
    "MosaicTiles": "tiles",
    "corners_of_tile": "tiles",
    "gone_in_picture": "tiles",
    "mosaic_of": "tiles",
    "OPAQUE": "transfer",
    "RAMP": "transfer",
    "USUAL_PERCENT": "histogram",
    "auto_contrast": "histogram",
    "coarsest_histogram": "histogram_jobs",
    "columns": "histogram",
    "curve_of": "transfer",
    "dragged_clip_handle": "clip_handles:dragged",
    "dragged_curve_point": "transfer_plot:dragged",
    "edges": "clip_handles",
    "estimate_levels": "level_estimates",
    "exact_histogram": "histogram_jobs",
    "face_under": "clip_handles",
    "heights": "histogram",
    "knobs": "clip_handles",
    "moved": "clip_handles",
    "removed": "transfer",
    "with_curve": "transfer",
    "within": "clip_handles",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOME)
