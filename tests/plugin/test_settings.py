"""Preferences, as napari keeps them."""

from pathlib import Path

import pytest
from npe2 import PluginManifest

import brickfield.plugin
from brickfield.loading import DEFAULT_RAM_BUDGET, default_cache
from brickfield.plugin.settings import Settings, settings, settings_events

PATH = Path(brickfield.plugin.__file__).with_name("napari.yaml")


@pytest.fixture
def groups(plugin_settings, npe2pm):
    """The preferences of a person who has not changed any; not the user's own."""
    from napari.settings import get_plugin_settings

    npe2pm.register(PluginManifest.from_file(PATH))
    yield get_plugin_settings("napari-brickfield")
    default_cache().budget_bytes = DEFAULT_RAM_BUDGET


@pytest.fixture
def heard():
    said: list[Settings] = []
    settings_events.changed.connect(said.append)
    yield said
    settings_events.changed.disconnect(said.append)


def test_at_first_they_are_the_defaults(groups):
    assert settings() == Settings()


def test_the_ram_budget_is_that_of_the_whole_process(groups):
    settings()
    groups.memory.ram_mib = 256
    assert default_cache().budget_bytes == 256 << 20
    assert settings().ram_budget_bytes == 256 << 20


def test_what_was_kept_is_applied_when_it_is_asked_for_first(groups):
    groups.memory.ram_mib = 320
    default_cache().budget_bytes = DEFAULT_RAM_BUDGET
    settings()
    assert default_cache().budget_bytes == 320 << 20


def test_changes_are_heard_of_with_the_new_values(groups, heard):
    settings()
    groups.drawing.quality_px = 2.0
    groups.loading.concurrency = 8
    assert [s.quality_px for s in heard] == [2, 2]
    assert heard[-1].concurrency == 8
    groups.loading.concurrency = 8
    assert len(heard) == 2


@pytest.mark.parametrize(("name", "value"), [("ram_mib", 0), ("gpu_mib", "much")])
def test_what_makes_no_sense_is_not_taken(groups, name, value):
    settings()
    with pytest.raises(ValueError, match=name):
        setattr(groups.memory, name, value)
    assert settings() == Settings()


def test_without_the_plugin_they_are_the_defaults(plugin_settings, npe2pm):
    assert settings() == Settings()


def test_images_are_opened_with_as_many_reads_as_chosen(groups, tmp_path):
    from brickfield.plugin.layers.make import open_layers, store_behind
    from brickfield.testing.zarr_stores import ramp, write_image

    groups.loading.concurrency = 7
    (layer,) = open_layers(write_image(tmp_path / "a.zarr", [ramp((8, 8, 8))]))
    assert store_behind(layer).source.concurrency == 7
