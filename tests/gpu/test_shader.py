"""The program: what makes a new one, and that all of them compile."""

import numpy as np
import pytest

from brickfield.gpu.material import BrickMaterial
from brickfield.gpu.shader import BrickShader

pytestmark = pytest.mark.gpu


def test_a_change_of_numbers_compiles_nothing(harness, stages):
    from pygfx.renderers.wgpu.engine.utils import gpu_caches

    data = np.full((8, 16, 16), 100, np.uint8)
    stage = stages(data)
    camera = harness.along_axis(data.shape)
    first = stage.image(camera, harness.look_of(contrast=(0, 200)))
    before = gpu_caches.shader_modules.misses
    other = stage.image(camera, harness.look_of(contrast=(0, 100), gamma=0.7))
    assert (first != other).any()
    stage.image(harness.oblique(data.shape, (16, 16)), harness.look_of())
    assert gpu_caches.shader_modules.misses == before


@pytest.fixture
def built(monkeypatch):
    """Names of what is asked to be built: shader modules and pipelines."""
    from pygfx.renderers.wgpu.engine import pipeline

    asked = []
    for name in ("get_cached_shader_module", "get_cached_render_pipeline"):
        build = getattr(pipeline, name)
        monkeypatch.setattr(
            pipeline,
            name,
            lambda *a, _name=name, _build=build: asked.append(_name) or _build(*a),
        )
    return asked


@pytest.mark.parametrize(
    "change",
    [
        {"blending": "additive"},
        {"attenuation": 2.0},
        {"interpolation": "nearest"},
        {"show_levels": True},
        {"relative_step": 0.5},
        {"clip_box": ((0.0, 0, 0), (5.0, 9, 9))},
        {"opacity": 0.4},
        {"gamma": 2.0},
        {"contrast": (3.0, 50.0)},
        {"threshold": 20.0},
    ],
    ids=lambda c: next(iter(c)),
)
@pytest.mark.parametrize("mode", ["attenuated_mip", "iso"])
def test_a_change_of_looks_builds_no_pipeline(harness, stages, built, mode, change):
    data = np.random.default_rng(0).integers(0, 99, (8, 16, 16), dtype=np.uint8)
    usual = {"contrast": (0, 99), "threshold": 40.0}
    stage = stages(data, harness.look_of(mode, **usual))
    camera = harness.oblique(data.shape, (16, 16))
    stage.image(camera, harness.look_of(mode, **usual))
    built.clear()
    stage.image(camera, harness.look_of(mode, **usual | change))
    assert built == []


def test_a_change_of_mode_builds_one(harness, stages, built):
    data = np.zeros((8, 16, 16), np.uint8)
    stage = stages(data)
    camera = harness.along_axis(data.shape)
    stage.image(camera)
    built.clear()
    stage.image(camera, harness.look_of("average"))
    assert built == ["get_cached_shader_module", "get_cached_render_pipeline"]


def test_another_number_of_levels_is_the_same_program(harness, stages):
    """Levels of equal bricks lie in one texture: the text says nothing of how many."""
    from pygfx.renderers.wgpu.engine.utils import gpu_caches

    misses = []
    for n in (2, 3):
        shapes = [(64 >> i,) * 3 for i in range(n)]
        pyramid = harness.pyramid_of(shapes, chunk=(8, 8, 8))
        arrays = [np.full(shape, 50, np.uint8) for shape in shapes]
        look = harness.look_of(contrast=(0, 100))
        stage = stages.keep(harness.Stage(pyramid, [arrays], look))
        stage.put(harness.all_names(pyramid, n - 1))
        image = stage.image(harness.along_axis(shapes[0], axis=0))
        assert (image[8:-8, 8:-8, 0] == 128).all()
        misses.append(gpu_caches.shader_modules.misses)
    assert misses[0] == misses[1]


def test_equal_programs_change_nothing():
    material = BrickMaterial("mip", "linear", 2)
    before = material._store.program
    material.set_program("mip", "linear", 2)
    assert material._store.program is before
    material.set_program("iso", "linear", 2)
    assert material.program == ("iso", "linear", 2, "")


def test_every_file_of_the_program_is_found():
    from importlib.resources import files

    names = {p.name for p in files("brickfield.gpu").joinpath("wgsl").iterdir()}
    assert names == {
        "volume.wgsl", "pages.wgsl", "samples.wgsl", "modes.wgsl", "rows.wgsl",
    }  # fmt: skip
    assert BrickShader.type == "render"


def test_twelve_levels_are_drawn_together(harness, stages):
    shapes = [tuple(max(1, n >> i) for n in (16, 64, 4096)) for i in range(12)]
    pyramid = harness.pyramid_of(shapes, chunk=(16, 64, 64))
    arrays = [np.full(s, 20 * i + 20, np.uint8) for i, s in enumerate(shapes)]
    look = harness.look_of(contrast=(0, 255))
    stage = stages.keep(harness.Stage(pyramid, [arrays], look))
    # Each level is drawn over a part of the next coarser one.
    names = []
    for level in range(12):
        names += harness.all_names(pyramid, level)[: 1 if level < 11 else None]
    stage.put(names)
    camera = harness.along_axis(shapes[0], axis=0)
    image = stage.image(camera)[..., 0]
    reach = 64
    for level in range(6):
        assert (image[5, reach * 2**level // 2 + 2 : reach * 2**level - 2] > 0).all()
        assert image[5, reach * 2**level - 3] == 20 * level + 20
