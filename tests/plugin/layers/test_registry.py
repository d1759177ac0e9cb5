"""Which scene belongs to which viewer: asking for it keeps neither alive."""

import gc
import weakref

import numpy as np
from napari.components import ViewerModel

import brickfield as bf
from brickfield.plugin.layers.registry import scene_of


def test_a_scene_that_somebody_has_is_the_one_that_others_get():
    viewer = ViewerModel()
    scene = scene_of(viewer)
    assert scene_of(viewer) is scene


def test_a_viewer_without_a_dock_goes_after_its_scene_was_taken(qapp):
    def taken():  # whose frame goes, with what others keep of it
        viewer = ViewerModel()
        viewer.add_image(np.zeros((4, 5, 6), np.uint8))
        bf.get_state(viewer)
        return weakref.ref(viewer)

    gone = taken()
    gc.collect()
    assert gone() is None
