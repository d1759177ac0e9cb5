"""E17: channels, levels and time points as counts."""

from benchmarks.scenes import MIB, layer_of, orbit, view_of, virtual_store
from benchmarks.series import channels, levels, revisit

from brickfield.sample import VirtualImage
from brickfield.testing.textures import LivingTextures


def test_thirty_two_channels_are_drawn_in_one_pass():
    assert channels() == 32


def test_each_of_twelve_levels_can_be_drawn():
    assert levels() == 12


def test_the_way_back_to_a_time_point_reads_nothing():
    n_bytes, _ = revisit()
    assert n_bytes == 0


def test_fifty_layers_share_one_budget_and_each_is_drawn():
    stores = [
        virtual_store(VirtualImage((512,) * 3, is_hollow=False)) for _ in range(50)
    ]
    layers = [layer_of(store) for store in stores]
    budget = 64 * MIB
    with view_of(layers[0], (160, 120), gpu_budget=budget) as view:
        with LivingTextures(view.gpu.device) as living:
            view.set_layers(layers)
            view.camera = orbit((512,) * 3, (160, 120), distance=1.5)
            view.update()
            plans = [r.plan for r in view.manager.renderers]
            assert len(plans) == 50
            assert all(plan.n_chunks for plan in plans)
            assert view.manager.gpu_bytes <= budget
            view.image()
        assert living.peak_bytes <= budget
    for store in stores[1:]:
        store.close()
