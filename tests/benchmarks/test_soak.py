"""R6: what a flight may leave behind, in a short one."""

from benchmarks.scenes import MIB, layer_of, orbit, view_of, virtual_store
from benchmarks.soak import GPU, SHAPE, Soak, fly

from brickfield.sample import VirtualImage
from brickfield.testing.textures import StagedBytes


def test_a_flight_keeps_threads_files_and_textures():
    found = fly(24)
    assert found.threads[-1] <= max(found.threads[1:9])
    assert found.handles[-1] <= max(found.handles[1:9])
    assert found.peak_textures <= GPU


def test_at_most_16_mib_are_on_their_way_to_the_device_while_a_view_fills():
    store = virtual_store(VirtualImage(SHAPE, is_hollow=False))
    with view_of(layer_of(store), (320, 240), gpu_budget=64 * MIB) as view:
        view.camera = orbit(SHAPE, (320, 240), distance=0.3)
        with StagedBytes(view.gpu.device.queue) as staged:
            assert view.wait_until_complete(60)
        (renderer,) = view.manager.renderers
        assert renderer.bricks.atlas.upload_bytes > 48 * MIB
    # Rows of 66 bytes are staged as rows of 256, which is what is limited.
    assert 3 * MIB < staged.peak_bytes <= 16 * MIB + 66**3


def test_a_slope_is_that_of_what_is_seen_after_a_third_of_the_moves():
    moves = list(range(0, 3000, 50))
    rss = [10 * min(move, 1000) + 2 * move for move in moves]
    settled = Soak(moves, rss, [], [], 0, 0)
    assert abs(settled.slope - 2) < 1e-6
