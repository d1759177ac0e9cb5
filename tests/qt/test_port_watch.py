"""A watch tells what changed in any layer, and keeps nobody alive."""

import weakref

from brickfield.qt.port_watch import PortWatch


class Listener:
    def __init__(self):
        self.heard = []

    def hear(self, name):
        self.heard.append(name)


def test_changes_of_every_layer_are_told_also_of_later_ones(scene, blob):
    first = scene.add(blob)
    listener = Listener()
    watch = PortWatch(scene, listener.hear)
    first.mode = "iso"
    second = scene.add(blob)
    second.gamma = 0.5
    scene.active = first
    assert listener.heard == ["mode", "layers", "active", "gamma", "active"]
    watch.close()


def test_a_layer_that_went_is_followed_no_more(scene, blob):
    port = scene.add(blob)
    listener = Listener()
    watch = PortWatch(scene, listener.hear)
    scene.remove(port)
    listener.heard.clear()
    port.mode = "iso"
    assert listener.heard == []
    watch.close()


def test_after_closing_nobody_is_called(scene, blob):
    port = scene.add(blob)
    listener = Listener()
    watch = PortWatch(scene, listener.hear)
    watch.close()
    watch.close()
    port.mode = "iso"
    scene.add(blob)
    assert listener.heard == []


def test_the_listener_is_not_kept_alive(scene, blob):
    port = scene.add(blob)
    listener = Listener()
    watch = PortWatch(scene, listener.hear)
    gone = weakref.ref(listener)
    del listener
    assert gone() is None
    port.mode = "iso"
    watch.close()
