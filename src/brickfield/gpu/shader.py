"""Binds a bricked volume to its WGSL program."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import wgpu
from pygfx.renderers.wgpu import (
    BaseShader,
    Binding,
    GfxSampler,
    GfxTextureView,
    register_wgpu_render_function,
)
from pygfx.renderers.wgpu.shader.templating import register_wgsl_loader

from brickfield.gpu.material import SLICE, BrickMaterial, BrickVolume
from brickfield.model.appearance import BY_DEPTH, SHADED

_STAGE = "FRAGMENT"
# Inside a texture, mirrored coordinates are clamped ones. But llvmpipe filters textures
# of 8 bits that are clamped along every axis with weights of 8 bits, which shows on
# surfaces and takes longer than weights of float32. Through voxel centres these are
# off by a hair, though, which adds up in an average: ties would round either way.
_ADDRESSING = "clamp clamp mirror"
_ADDRESSING_OF_AVERAGE = "clamp"


def _load(name: str) -> str:
    text: str = files("brickfield.gpu").joinpath("wgsl", name).read_text("utf-8")
    return text


register_wgsl_loader("brickfield", _load)


class ColorBinding(Binding):
    """Binds a view of a colour texture that pygfx did not make."""

    def get_bind_group_descriptors(self, slot: int) -> tuple[Any, Any]:
        """Describe the binding and its layout."""
        layout = wgpu.BindGroupLayoutEntry(
            binding=slot,
            visibility=wgpu.ShaderStage.FRAGMENT,
            texture=wgpu.TextureBindingLayout(
                sample_type="unfilterable-float", view_dimension="2d"
            ),
        )
        return wgpu.BindGroupEntry(binding=slot, resource=self.resource), layout


@register_wgpu_render_function(BrickVolume, BrickMaterial)
class BrickShader(BaseShader):
    """The ray caster. Template variables are fixed by the material's program."""

    type = "render"

    def get_bindings(
        self, wobject: BrickVolume, shared: Any, scene: Any
    ) -> dict[int, dict[int, Binding]]:
        """Declare textures, buffers and samplers for pygfx.

        Parameters
        ----------
        wobject : BrickVolume
        shared : object
            pygfx's shared uniforms.
        scene : object
            Not used.

        Returns
        -------
        dict of int to dict of int to Binding
            Bindings by group and number.
        """
        material = wobject.material
        mode, interpolation, n_channels, extra = material.program
        # Read so that pygfx notes the dependence and binds again after a change.
        _ = material._store.bricks_version
        self["mode"] = mode
        self["is_shaded"] = extra == SHADED
        self["is_by_depth"] = extra == BY_DEPTH
        # Mostly the sampler's business: only some programs say anything else for it.
        is_read = mode == SLICE or material.may_be_nonfinite
        self["interpolation"] = interpolation if is_read else "linear"
        self["n_channels"] = n_channels
        self["n_textures"] = len(material.textures)
        self["range_format"] = material.format_kind
        self["is_integer"] = material.is_integer
        self["may_be_nonfinite"] = material.may_be_nonfinite
        self["has_feedback"] = material.has_feedback
        behind = material._store.behind
        self["has_behind"] = behind is not None

        groups = dict(enumerate(_bindings(wobject, shared)))
        self.define_bindings(0, groups)
        if behind is None:
            return {0: groups}
        # Declared by hand in the program: these are not textures of pygfx.
        return {
            0: groups,
            1: {
                0: Binding("t_objects", "shadow_texture/2d", behind.objects, _STAGE),
                1: Binding("t_depth", "shadow_texture/2d", behind.depth, _STAGE),
                2: ColorBinding("t_behind", "raw_texture/2d", behind.color, _STAGE),
            },
        }

    def get_pipeline_info(self, wobject: Any, shared: Any) -> dict[str, Any]:
        """Describe the two triangles that cover the rows to be drawn.

        Parameters
        ----------
        wobject : BrickVolume
            Not used.
        shared : object
            Not used.
        """
        return {
            "primitive_topology": wgpu.PrimitiveTopology.triangle_list,
            "cull_mode": wgpu.CullMode.none,
        }

    def get_render_info(self, wobject: Any, shared: Any) -> dict[str, Any]:
        """Describe the draw call.

        Parameters
        ----------
        wobject : BrickVolume
            Not used.
        shared : object
            Not used.
        """
        return {"indices": (6, 1)}

    def get_code(self) -> str:
        """Return the program's text before templating."""
        return _load("volume.wgsl")


def _bindings(wobject: BrickVolume, shared: Any) -> list[Binding]:
    material = wobject.material
    bindings = [
        Binding("u_stdinfo", "buffer/uniform", shared.uniform_buffer),
        Binding("u_wobject", "buffer/uniform", wobject.uniform_buffer),
        Binding("u_material", "buffer/uniform", material.uniform_buffer),
        Binding("s_pages", "buffer/read_only_storage", material.pages, _STAGE),
        Binding("t_lut", "texture/auto", GfxTextureView(material.lut), _STAGE),
    ]
    if material.is_integer:
        labels = material.label_rows
        bindings.append(Binding("s_labels", "buffer/read_only_storage", labels, _STAGE))
    else:
        is_average = material.program[0] == "average"
        addressing = _ADDRESSING_OF_AVERAGE if is_average else _ADDRESSING
        bricks = GfxSampler(material.program[1], addressing)
        bindings.append(Binding("s_bricks", "sampler/filtering", bricks, _STAGE))
    bindings += [
        Binding(f"t_bricks{i}", "texture/auto", GfxTextureView(texture), _STAGE)
        for i, texture in enumerate(material.textures)
    ]
    if material.has_feedback:
        reached = Binding("s_reached", "buffer/storage", material.reached, _STAGE)
        bindings.append(reached)
    return bindings
