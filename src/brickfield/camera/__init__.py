"""Cameras of views: said by a user, fitted, moved, turned; pure functions on values."""

from __future__ import annotations

from brickfield._faces import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from brickfield.camera import navigation as navigation
    from brickfield.camera import presets as presets
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
    "about",  # Return the right-handed rotation about an axis, shape (3, 3).
    "between",  # Return the shortest rotation from one unit direction to another, (3, 3).
    "camera_spec",  # Understand what a user says about the camera.
    "fit_camera",  # Make the camera that a specification means.
    "frames",  # Return every frame of a movie, from the first key frame to the last.
    "navigation",  # What the hand does to the camera: pure functions from one camera to the next.
    "next_plane_point",  # Return a point of an oblique plane that was moved along its normal.
    "of_cameras",  # Return frames that differ in nothing but the camera.
    "orbit_camera",  # Look at the centre of a volume from an angle, with all of it in the picture.
    "preset",  # Look at the whole volume in a direction that has a name.
    "presets",  # Views of the whole: from an axis, from beside, all of it, in parallel or not.
    "resized",  # Return the camera for a picture of another size, with the same height in the world.
    "set_centre",  # Make a point (z, y, x) the target; direction and distance stay.
    "slice_camera",  # Look straight at a plane, all that it cuts of a box in the picture, pixels square.
    "target_height",  # Return the world units that the picture is high at the target.
    "toggle_projection",  # Change between perspective and parallel rays; the target keeps its size.
    "turned",  # Return the camera to which the scene looks turned.
    "turntable",  # Let the scene turn once round the target, evenly.
    "vec",  # Return three numbers as a tuple of floats.
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
    "WORLD_UP": "navigation",
    "about": "rotations",
    "between": "rotations",
    "camera_spec": "spec",
    "fit_camera": "fit",
    "frames": "keyframes",
    "navigation": "navigation:",
    "next_plane_point": "slice_steps",
    "of_cameras": "keyframes",
    "orbit_camera": "fit",
    "preset": "presets",
    "presets": "presets:",
    "resized": "presets",
    "set_centre": "navigation",
    "slice_camera": "plane_camera",
    "target_height": "navigation",
    "toggle_projection": "presets",
    "turned": "rotations",
    "turntable": "keyframes",
    "vec": "rotations",
    "world_at": "navigation",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOME)
