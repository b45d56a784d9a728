"""The packages of an installation: ranges, the lock, and the metadata."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from importlib import metadata

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from core.settings import PROJECT_ROOT

PYPROJECT = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text())
LOCK = PROJECT_ROOT / "requirements.lock"


def requirements(name: str) -> Iterator[Requirement]:
    """The packages that a file lists, without the files that it includes."""
    for line in (PROJECT_ROOT / name).read_text().splitlines():
        if line.strip() and not line.lstrip().startswith(("#", "-")):
            yield Requirement(line)


ASKED = [*requirements("requirements.txt"), *requirements("requirements-dev.txt")]
LOCKED = list(requirements("requirements.lock"))


def locked_versions(name: str) -> list[str]:
    """The versions in the lock: several where that depends on Python's own."""
    canonical = canonicalize_name(name)
    entries = (entry for entry in LOCKED if canonicalize_name(entry.name) == canonical)
    return [next(iter(entry.specifier)).version for entry in entries]


@pytest.mark.parametrize("requirement", ASKED, ids=lambda requirement: requirement.name)
def test_a_range_has_a_lower_and_an_upper_end_and_the_lock_is_within(requirement) -> None:
    assert {specifier.operator for specifier in requirement.specifier} == {">=", "<"}
    assert locked_versions(requirement.name)
    for version in locked_versions(requirement.name):
        assert requirement.specifier.contains(version)


def test_the_lock_pins_one_version_an_entry() -> None:
    for entry in LOCKED:
        assert [specifier.operator for specifier in entry.specifier] == ["=="], entry


def test_everything_that_an_installed_package_needs_is_in_the_lock() -> None:
    checked = 0
    for entry in LOCKED:
        if entry.marker and not entry.marker.evaluate():
            continue
        try:
            installed = metadata.distribution(entry.name)
        except metadata.PackageNotFoundError:
            continue
        if not entry.specifier.contains(installed.version):
            continue  # a newer one, within the range
        for needed in map(Requirement, installed.requires or []):
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                versions = locked_versions(needed.name)
                assert list(needed.specifier.filter(versions)), f"{entry.name} needs {needed}"
                checked += 1
    assert checked


def test_the_lock_does_not_say_where_packages_come_from() -> None:
    text = LOCK.read_text()
    assert "see docs/dependencies.md" in text
    assert [word for word in ("://", "index", "find-links", "file:") if word in text] == []


def test_the_metadata_lists_the_supported_python_versions() -> None:
    project = PYPROJECT["project"]
    takes = SpecifierSet(project["requires-python"])
    prefix = "Programming Language :: Python :: 3."
    named = [classifier for classifier in project["classifiers"] if classifier.startswith(prefix)]
    versions = [Version(classifier.rpartition(" ")[2]) for classifier in named]
    assert takes.contains(min(versions))
    assert not takes.contains(f"3.{min(versions).minor - 1}")
    oldest = str(min(versions))
    assert PYPROJECT["tool"]["mypy"]["python_version"] == oldest
    assert PYPROJECT["tool"]["ruff"]["target-version"] == f"py{oldest.replace('.', '')}"


def test_every_tool_that_can_has_its_settings_in_pyproject() -> None:
    elsewhere = ["setup.cfg", "setup.py", "pytest.ini", "tox.ini", "mypy.ini", ".mypy.ini"]
    elsewhere += ["ruff.toml", ".ruff.toml", ".coveragerc", "MANIFEST.in"]
    assert [name for name in elsewhere if (PROJECT_ROOT / name).exists()] == []
    assert {"ruff", "mypy", "pytest"} <= set(PYPROJECT["tool"])
