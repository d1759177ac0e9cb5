"""Cameras of views: said by a user, fitted, moved, turned; pure functions on values."""

from __future__ import annotations

from brickfield._faces import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from brickfield.camera import navigation as navigation
    from brickfield.camera import presets as presets
    from brickfield.camera.drag_line import Pixel as Pixel
    from brickfield.camera.drag_line import clip_w as clip_w
    from brickfield.camera.drag_line import gone_along as gone_along
    from brickfield.camera.drag_line import pixel_at as pixel_at
    from brickfield.camera.drag_line import to_camera as to_camera
    from brickfield.camera.drag_line import way_of as way_of
    from brickfield.camera.fit import MARGIN as MARGIN
    from brickfield.camera.fit import fit_camera as fit_camera
    from brickfield.camera.fit import orbit_camera as orbit_camera
    from brickfield.camera.keyframes import KeyFrame as KeyFrame
    from brickfield.camera.keyframes import frames as frames
    from brickfield.camera.keyframes import of_cameras as of_cameras
    from brickfield.camera.keyframes import turntable as turntable
    from brickfield.camera.navigation import WORLD_UP as WORLD_UP
    from brickfield.camera.navigation import set_centre as set_centre
    from brickfield.camera.navigation import target_height as target_height
    from brickfield.camera.navigation import world_at as world_at
    from brickfield.camera.plane_camera import slice_camera as slice_camera
    from brickfield.camera.plane_handle import Part as Part
    from brickfield.camera.plane_handle import PlaneHandle as PlaneHandle
    from brickfield.camera.plane_handle import angles_of as angles_of
    from brickfield.camera.plane_handle import box_round as box_round
    from brickfield.camera.plane_handle import handle as handle
    from brickfield.camera.plane_handle import in_front as in_front
    from brickfield.camera.plane_handle import normal_at as normal_at
    from brickfield.camera.plane_handle import outline as outline
    from brickfield.camera.plane_handle import part_under as part_under
    from brickfield.camera.plane_handle import shifted as shifted
    from brickfield.camera.plane_handle import tilted as tilted
    from brickfield.camera.presets import preset as preset
    from brickfield.camera.presets import resized as resized
    from brickfield.camera.presets import toggle_projection as toggle_projection
    from brickfield.camera.rotations import about as about
    from brickfield.camera.rotations import between as between
    from brickfield.camera.rotations import turned as turned
    from brickfield.camera.rotations import vec as vec
    from brickfield.camera.slice_steps import next_plane_point as next_plane_point
    from brickfield.camera.spec import AxisName as AxisName
    from brickfield.camera.spec import CameraSpec as CameraSpec
    from brickfield.camera.spec import FitCamera as FitCamera
    from brickfield.camera.spec import OrbitCamera as OrbitCamera
    from brickfield.camera.spec import OrthoCamera as OrthoCamera
    from brickfield.camera.spec import camera_spec as camera_spec

__all__ = [
    "MARGIN",  # How much larger than the volume the picture is, in perspective.
    "WORLD_UP",  # Up while a view is rotated: rows of an image count downwards.
    "AxisName",
    "CameraSpec",
    "FitCamera",  # Perspective, the whole volume in the picture.
    "KeyFrame",  # One moment of a movie.
    "OrbitCamera",  # Perspective, turned round the middle of the volume.
    "OrthoCamera",  # Parallel rays along one axis; rows and columns are the other two axes.
    "Part",
    "Pixel",
    "PlaneHandle",  # An arrow that stands on a plane.
    "about",  # Return the right-handed rotation about an axis, shape (3, 3).
    "angles_of",  # Return tilt and turn of a plane, degrees.
    "between",  # Return the shortest rotation from one unit direction to another, (3, 3).
    "box_round",  # Return the box of one volume as it is, of several the upright one round all.
    "camera_spec",  # Understand what a user says about the camera.
    "clip_w",  # Return the clip coordinate w: above 0 in front of the camera.
    "fit_camera",  # Make the camera that a specification means.
    "frames",  # Return every frame of a movie, from the first key frame to the last.
    "gone_along",  # Return how far a drag moves a point along a direction, world units.
    "handle",  # Place the handle of a plane in a picture.
    "in_front",  # Return the part of a convex polygon in front of the camera, shape (n, 3).
    "navigation",  # What the hand does to the camera: pure functions from one camera to the next.
    "next_plane_point",  # Return a point of an oblique plane that was moved along its normal.
    "normal_at",  # Return the normal (z, y, x) of tilt and turn in degrees; see :func:`angles_of`.
    "of_cameras",  # Return frames that differ in nothing but the camera.
    "orbit_camera",  # Look at the centre of a volume from an angle, with all of it in the picture.
    "outline",  # Return where a plane cuts a box (upright, turned or sheared).
    "part_under",  # Return the part of a handle under a pixel, of two the nearer one.
    "pixel_at",  # Project a world point to the picture.
    "preset",  # Look at the whole volume in a direction that has a name.
    "presets",  # Views of the whole: from an axis, from beside, all of it, in parallel or not.
    "resized",  # Return the camera for a picture of another size, with the same height in the world.
    "set_centre",  # Make a point (z, y, x) the target; direction and distance stay.
    "shifted",  # Move a plane along its normal by a drag of the handle's foot.
    "slice_camera",  # Look straight at a plane, all that it cuts of a box in the picture, pixels square.
    "target_height",  # Return the world units that the picture is high at the target.
    "tilted",  # Turn a plane about the handle's foot by a drag of its tip.
    "to_camera",  # Return the vector from a point to the eye; for parallel rays, their direction.
    "toggle_projection",  # Change between perspective and parallel rays; the target keeps its size.
    "turned",  # Return the camera to which the scene looks turned.
    "turntable",  # Let the scene turn once round the target, evenly.
    "vec",  # Return three numbers as a tuple of floats.
    "way_of",  # Return how a line runs in the picture.
    "world_at",  # Return the world point under a pixel, at the distance of the target.
]

_HOME = {
    "AxisName": "spec",
    "CameraSpec": "spec",
    "FitCamera": "spec",
    "KeyFrame": "keyframes",
    "MARGIN": "fit",
    "OrbitCamera": "spec",
    "OrthoCamera": "spec",
    "Part": "plane_handle",
    "Pixel": "drag_line",
    "PlaneHandle": "plane_handle",
    "WORLD_UP": "navigation",
    "about": "rotations",
    "angles_of": "plane_handle",
    "between": "rotations",
    "box_round": "plane_handle",
    "camera_spec": "spec",
    "clip_w": "drag_line",
    "fit_camera": "fit",
    "frames": "keyframes",
    "gone_along": "drag_line",
    "handle": "plane_handle",
    "in_front": "plane_handle",
    "navigation": "navigation:",
    "next_plane_point": "slice_steps",
    "normal_at": "plane_handle",
    "of_cameras": "keyframes",
    "orbit_camera": "fit",
    "outline": "plane_handle",
    "part_under": "plane_handle",
    "pixel_at": "drag_line",
    "preset": "presets",
    "presets": "presets:",
    "resized": "presets",
    "set_centre": "navigation",
    "shifted": "plane_handle",
    "slice_camera": "plane_camera",
    "target_height": "navigation",
    "tilted": "plane_handle",
    "to_camera": "drag_line",
    "toggle_projection": "presets",
    "turned": "rotations",
    "turntable": "keyframes",
    "vec": "rotations",
    "way_of": "drag_line",
    "world_at": "navigation",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOME)
