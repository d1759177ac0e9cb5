"""Which chunks one frame needs: pure decisions, numpy only."""

from __future__ import annotations

from brickfield._faces import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from brickfield.planning.culling import ChunkCuller as ChunkCuller
    from brickfield.planning.culling import CullingMode as CullingMode
    from brickfield.planning.frame_plan import FramePlan as FramePlan
    from brickfield.planning.layer import Occupancy as Occupancy
    from brickfield.planning.lod import LevelOfDetailSelector as LevelOfDetailSelector
    from brickfield.planning.plan import PlanRequest as PlanRequest
    from brickfield.planning.plan import plan_frame as plan_frame
    from brickfield.planning.plan import plan_layers as plan_layers
    from brickfield.planning.policy import EXPLORATION as EXPLORATION
    from brickfield.planning.policy import EXPORT as EXPORT
    from brickfield.planning.policy import PLAYBACK as PLAYBACK
    from brickfield.planning.policy import LodPolicy as LodPolicy

__all__ = [
    "EXPLORATION",  # For interaction: new detail waits until the camera slows down.
    "EXPORT",  # Pictures for print: the same view always gives the same plan.
    "PLAYBACK",  # A running series: less to read a frame, and a richer level to fall back to.
    "ChunkCuller",  # Finds the chunks of a level that a view frustum meets. Any thread.
    "CullingMode",
    "FramePlan",  # The chunks that one frame of one layer needs, most important first.
    "LevelOfDetailSelector",  # Chooses levels for a view. Stateless: any thread.
    "LodPolicy",  # What the choice of levels aims at.
    "Occupancy",
    "PlanRequest",  # What one layer requires of a plan.
    "plan_frame",  # Plan one layer alone; see :func:`plan_layers`.
    "plan_layers",  # Plan several layers that share one budget and get the same error.
]

_HOME = {
    "ChunkCuller": "culling",
    "CullingMode": "culling",
    "EXPLORATION": "policy",
    "EXPORT": "policy",
    "FramePlan": "frame_plan",
    "LevelOfDetailSelector": "lod",
    "LodPolicy": "policy",
    "Occupancy": "layer",
    "PLAYBACK": "policy",
    "PlanRequest": "plan",
    "plan_frame": "plan",
    "plan_layers": "plan",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOME)
