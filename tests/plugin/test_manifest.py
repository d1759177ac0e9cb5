"""The manifest, as npe2 and napari read it."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from npe2 import PluginManifest

import brickfield.plugin
from brickfield.plugin.names import COMMANDS, PLUGIN

PATH = Path(brickfield.plugin.__file__).with_name("napari.yaml")


@pytest.fixture(scope="module")
def manifest() -> PluginManifest:
    return PluginManifest.from_file(PATH)


def test_npe2_finds_nothing_wrong_with_it():
    run = subprocess.run(
        [sys.executable, "-m", "npe2", "validate", PLUGIN],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "valid" in run.stdout
    assert "warn" not in (run.stdout + run.stderr).lower()


def test_its_name_is_the_one_in_the_code(manifest):
    assert manifest.name == PLUGIN


def test_commands_that_code_runs_by_name_are_those_of_the_manifest(manifest):
    functions = {c.id: c.python_name for c in manifest.contributions.commands}
    for name, function in COMMANDS.items():
        assert functions[f"{PLUGIN}.{name}"] == f"brickfield.plugin.commands:{name}"
        module, _, inner = function.partition(":")
        assert callable(getattr(import_module(module), inner)), name


def test_every_command_has_its_function_and_a_title_of_its_own(manifest):
    commands = manifest.contributions.commands
    for command in commands:
        module, _, name = command.python_name.partition(":")
        assert callable(getattr(import_module(module), name)), command.id
    assert len({command.title for command in commands}) == len(commands)


def test_every_contribution_names_a_command_that_is_there(manifest):
    found = manifest.contributions
    known = {command.id for command in found.commands}
    used = [*found.readers, *found.writers, *found.widgets, *found.sample_data]
    items = [item for items in found.menus.values() for item in items]
    used += [item for item in items if hasattr(item, "command")]
    assert {item.command for item in used} <= known
    submenus = {item.submenu for item in items if hasattr(item, "submenu")}
    assert submenus == {submenu.id for submenu in found.submenus}
    assert submenus <= set(found.menus)


def test_menus_are_ones_that_napari_shows(manifest):
    from napari._app_model.constants import MenuId

    submenus = {submenu.id for submenu in manifest.contributions.submenus}
    assert set(manifest.contributions.menus) - submenus <= {
        str(m) for m in MenuId.contributables()
    }


def test_the_readers_patterns_match_what_they_should():
    from fnmatch import fnmatch

    (reader,) = PluginManifest.from_file(PATH).contributions.readers
    names = ("a.ims", "a.h5", "a.emd", "a.mib", "a.n5", "a.xml", "a.ozx", "x/zarr.json")
    urls = (
        "https://x/a.zarr",
        "http://x/a.zarr/0?v=1",
        "s3://b/c",
        "precomputed://gs://b",
    )
    for name in (*names, *urls):
        assert any(fnmatch(name, pattern) for pattern in reader.filename_patterns), name
    for name in ("a.tif", "a.tiff", "a.png", "https://x/a.tif", "a.csv"):
        assert not any(fnmatch(name, p) for p in reader.filename_patterns), name
    assert reader.accepts_directories


def test_the_preferences_begin_as_the_code_does(manifest):
    from brickfield.plugin.settings import Settings

    groups = manifest.contributions.configurations
    default = Settings()
    memory = groups["memory"].properties
    assert memory["gpu_mib"].default << 20 == default.gpu_budget_bytes
    assert memory["ram_mib"].default << 20 == default.ram_budget_bytes
    assert groups["drawing"].properties["quality_px"].default == default.quality_px
    assert groups["loading"].properties["concurrency"].default == default.concurrency


def test_napari_s_menu_takes_every_widget_and_gives_it_the_viewer(manifest):
    """The menu is stricter than ``add_plugin_dock_widget``: it wants widget classes."""
    qnpe2 = pytest.importorskip("napari._qt._qplugins._qnpe2")
    functions = {c.id: c.python_name for c in manifest.contributions.commands}
    for widget in manifest.contributions.widgets:
        module, _, name = functions[widget.command].partition(":")
        made = getattr(import_module(module), name)
        parameter = qnpe2._get_widget_viewer_param(made, widget.display_name)
        assert parameter == "napari_viewer", widget.display_name
