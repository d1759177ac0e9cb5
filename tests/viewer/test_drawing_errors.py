"""Errors of the device become one sentence that says what to do."""

from __future__ import annotations

import pytest
import wgpu

from brickfield.errors import BudgetError, DeviceError
from brickfield.viewer.drawing_errors import is_out_of_memory, sentence_of, translated

LOST = "Validation Error\n\nCaused by:\n  In wgpuDeviceCreateBuffer\n    Parent device is lost"


def ask_too_much(adapter) -> None:
    """Ask for the largest 3D texture there can be: 256 GiB and more."""
    edge = adapter.max_texture_3d
    adapter.device.create_texture(
        size=(edge, edge, edge),
        dimension="3d",
        format="r32float",
        usage=wgpu.TextureUsage.TEXTURE_BINDING,
    )


def test_a_texture_that_is_too_large_is_a_lack_of_memory(adapter):
    with pytest.raises(wgpu.GPUError) as caught:
        ask_too_much(adapter)
    assert is_out_of_memory(caught.value)
    assert "lower the GPU budget" in sentence_of(caught.value)


def test_what_a_device_raises_is_raised_as_a_sentence(adapter):
    with (
        pytest.raises(DeviceError, match="lower the GPU budget") as caught,
        translated(),
    ):
        ask_too_much(adapter)
    assert is_out_of_memory(caught.value)


def test_a_lost_device_asks_for_another_start():
    error = wgpu.GPUValidationError(LOST)
    assert "was lost" in sentence_of(error)
    assert "\n" not in sentence_of(error)
    assert not is_out_of_memory(error)


def test_a_sentence_of_ours_stays_as_it_is():
    error = BudgetError("expected more; found less: raise it")
    assert sentence_of(error) == "expected more; found less: raise it"
    assert not is_out_of_memory(error), (
        "halving a budget that is too small helps nobody"
    )
    with pytest.raises(BudgetError), translated():
        raise error


def test_an_error_of_the_program_names_itself_and_its_last_line():
    assert "(KeyError: 'a')" in sentence_of(KeyError("a"))
    with pytest.raises(KeyError), translated():
        raise KeyError("a")
