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
    from brickfield.viewer.controls.transfer import OPAQUE as OPAQUE
    from brickfield.viewer.controls.transfer import RAMP as RAMP
    from brickfield.viewer.controls.transfer import curve_of as curve_of
    from brickfield.viewer.controls.transfer import removed as removed
    from brickfield.viewer.controls.transfer import with_curve as with_curve
    from brickfield.viewer.controls.transfer_plot import BAR as BAR
    from brickfield.viewer.controls.transfer_plot import GAMMA_ENDS as GAMMA_ENDS
    from brickfield.viewer.controls.transfer_plot import TOP as TOP
    from brickfield.viewer.controls.transfer_plot import Grip as Grip
    from brickfield.viewer.controls.transfer_plot import Look as Look
    from brickfield.viewer.controls.transfer_plot import Plot as Plot
    from brickfield.viewer.controls.transfer_plot import bar_entries as bar_entries
    from brickfield.viewer.controls.transfer_plot import curve_line as curve_line
    from brickfield.viewer.controls.transfer_plot import dragged as dragged_curve_point
    from brickfield.viewer.controls.transfer_plot import gamma_line as gamma_line
    from brickfield.viewer.controls.transfer_plot import grip_at as grip_at
    from brickfield.viewer.controls.transfer_plot import grips as grips
    from brickfield.viewer.controls.transfer_plot import whole_range as whole_range
    from brickfield.viewer.controls.transfer_plot import with_point as with_point

__all__ = [
    "BAR",
    "GAMMA_ENDS",
    "LEVEL_COLORS",  # Colours that tell levels in a picture (they repeat after eight).
    "OPAQUE",  # No curve.
    "RAMP",
    "TOP",
    "USUAL_PERCENT",
    "Face",  # One face of a box.
    "Grip",  # Something in the plot that can be dragged.
    "Histogram",  # Counts between edges.
    "Knob",  # Where a face can be taken hold of.
    "LevelEstimate",  # One level of everything that is drawn.
    "Look",  # What the plot shows of a layer.
    "Plot",  # The plot's size and the values at its ends.
    "auto_contrast",  # Choose contrast limits, low below high, for a histogram or values of any shape.
    "bar_entries",  # Return the entry of the colour table at each column of the bar.
    "coarsest_histogram",  # Count the coarsest level, and load it if it is not in memory.
    "columns",  # Spread counts over the columns of a picture.
    "curve_line",  # Return the opacity curve; empty without one.
    "curve_of",  # Return a curve that gives a table's alpha exactly, with few points.
    "dragged_clip_handle",  # Move a face along its normal by a drag of its knob.
    "dragged_curve_point",  # Return the look that a drag makes of the look when it began.
    "edges",  # Return the box's edges as lines in the picture.
    "estimate_levels",  # Estimate every level that a visible layer has, finest first.
    "exact_histogram",  # Count every voxel of a level, block by block, in bounded memory.
    "face_under",  # Return the face whose knob lies under a pixel, the nearest to the camera.
    "gamma_line",  # Return the line of the gamma curve over the values.
    "grip_at",  # Return the grip at a place; None where there is none.
    "grips",  # Return every grip that is a point, with column and row; the topmost last.
    "heights",  # Return heights from 0 to 1 for drawing; a single voxel can still be seen.
    "knobs",  # Place the knobs of all faces that can be dragged.
    "moved",  # Move a face to a coordinate, within the bounds and not beyond the opposite face.
    "removed",  # Remove a point; the two ends stay.
    "whole_range",  # Return the range that shows all values and the contrast window, with a margin.
    "with_curve",  # Return a table of colours with the alpha of a curve.
    "with_point",  # Return the look with one more point in its opacity curve.
    "within",  # Return the part of a box within bounds; infinite ends become finite.
]

_HOME = {
    "BAR": "transfer_plot",
    "Face": "clip_handles",
    "GAMMA_ENDS": "transfer_plot",
    "Grip": "transfer_plot",
    "Histogram": "histogram",
    "Knob": "clip_handles",
    "LEVEL_COLORS": "level_estimates",
    "LevelEstimate": "level_estimates",
    "Look": "transfer_plot",
    "OPAQUE": "transfer",
    "Plot": "transfer_plot",
    "RAMP": "transfer",
    "TOP": "transfer_plot",
    "USUAL_PERCENT": "histogram",
    "auto_contrast": "histogram",
    "bar_entries": "transfer_plot",
    "coarsest_histogram": "histogram_jobs",
    "columns": "histogram",
    "curve_line": "transfer_plot",
    "curve_of": "transfer",
    "dragged_clip_handle": "clip_handles:dragged",
    "dragged_curve_point": "transfer_plot:dragged",
    "edges": "clip_handles",
    "estimate_levels": "level_estimates",
    "exact_histogram": "histogram_jobs",
    "face_under": "clip_handles",
    "gamma_line": "transfer_plot",
    "grip_at": "transfer_plot",
    "grips": "transfer_plot",
    "heights": "histogram",
    "knobs": "clip_handles",
    "moved": "clip_handles",
    "removed": "transfer",
    "whole_range": "transfer_plot",
    "with_curve": "transfer",
    "with_point": "transfer_plot",
    "within": "clip_handles",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOME)
