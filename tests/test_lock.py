"""The lock file belongs to what pyproject.toml asks for."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

PUBLIC = ("https://pypi.org/", "https://files.pythonhosted.org/")


@pytest.fixture(scope="module")
def locked(project_root):
    return tomllib.loads((project_root / "uv.lock").read_text(encoding="utf-8"))


def asked(project):
    """Return (extra, name, extras of it, versions) of all requirements."""
    groups = {"": project["dependencies"], **project["optional-dependencies"]}
    result = set()
    for extra in groups:
        texts = list(groups[extra])
        for text in texts:
            wanted = Requirement(text)
            name = canonicalize_name(wanted.name)
            if name == project["name"]:  # our own extras: uv writes what they hold
                texts += [t for e in sorted(wanted.extras) for t in groups[e]]
            else:
                extras = frozenset(wanted.extras)
                result.add((extra, name, extras, wanted.specifier))
    return result


def test_the_lock_was_made_from_these_requirements(project_root, locked):
    project = tomllib.loads((project_root / "pyproject.toml").read_text())["project"]
    own = next(p for p in locked["package"] if p["name"] == project["name"])
    found = set()
    for line in own["metadata"]["requires-dist"]:
        # A marker may also name versions of Python.
        named = re.search(r"extra == '([^']+)'", line.get("marker", ""))
        extra = named[1] if named else ""
        extras = frozenset(line.get("extras", ()))
        versions = SpecifierSet(line.get("specifier", ""))
        found.add((extra, line["name"], extras, versions))
    assert found == asked(project), "run `uv lock` (pip install uv)"


def test_the_lock_names_public_places_only(locked):
    for package in locked["package"]:
        source = package["source"]
        assert source == {"editable": "."} or source["registry"].startswith(PUBLIC)
        files = [package["sdist"]] if "sdist" in package else []
        files += package.get("wheels", [])
        assert all(file["url"].startswith(PUBLIC) for file in files)
