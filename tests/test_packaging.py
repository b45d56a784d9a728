"""The packages of an installation: ranges, the lock, and the metadata."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from core import parts
from core.settings import PROJECT_ROOT

PYPROJECT = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]
EXTRAS = PROJECT["optional-dependencies"]
ASKED = [
    Requirement(line) for lines in (PROJECT["dependencies"], *EXTRAS.values()) for line in lines
]
LOCK = PROJECT_ROOT / "uv.lock"
LOCKED = tomllib.loads(LOCK.read_text())["package"]


def locked_versions(name: str) -> list[str]:
    """The versions in the lock: several where that depends on Python's own."""
    return [entry["version"] for entry in LOCKED if entry["name"] == canonicalize_name(name)]


@pytest.mark.parametrize("requirement", ASKED, ids=lambda requirement: requirement.name)
def test_a_range_has_a_lower_and_an_upper_end_and_the_lock_is_within(requirement) -> None:
    assert {specifier.operator for specifier in requirement.specifier} == {">=", "<"}
    assert locked_versions(requirement.name)
    for version in locked_versions(requirement.name):
        assert requirement.specifier.contains(version)


def test_the_lock_was_written_for_the_ranges_of_now() -> None:
    (own,) = (entry for entry in LOCKED if entry["name"] == PROJECT["name"])
    ranges = {
        (canonicalize_name(needed["name"]), needed["specifier"])
        for needed in own["metadata"]["requires-dist"]
    }
    assert {(canonicalize_name(asked.name), str(asked.specifier)) for asked in ASKED} == {
        (name, str(SpecifierSet(specifier))) for name, specifier in ranges
    }


def test_everything_that_an_installed_package_needs_is_in_the_lock() -> None:
    checked = 0
    for entry in LOCKED:
        try:
            installed = metadata.distribution(entry["name"])
        except metadata.PackageNotFoundError:
            continue
        if entry["version"] != installed.version or entry["name"] == PROJECT["name"]:
            continue  # another one, within the range
        for needed in map(Requirement, installed.requires or []):
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                versions = locked_versions(needed.name)
                assert list(needed.specifier.filter(versions)), f"{entry['name']} needs {needed}"
                checked += 1
    assert checked


def test_the_lock_names_the_public_registry_and_no_other_place() -> None:
    places = set(re.findall(r"(?:https?|file)://[^/\"]*", LOCK.read_text()))
    assert places == {"https://pypi.org", "https://files.pythonhosted.org"}


def test_the_files_for_pip_name_parts_and_no_package_of_their_own() -> None:
    listed = {
        name: [
            line
            for line in (PROJECT_ROOT / name).read_text().splitlines()
            if line and not line.startswith("#")
        ]
        for name in ("requirements.txt", "requirements-dev.txt")
    }
    assert listed == {
        "requirements.txt": ["-e .[engines,admin]"],
        "requirements-dev.txt": ["-e .[engines,admin,dev]"],
    }
    assert PYPROJECT["dependency-groups"]["dev"] == ["cruddur-ops[engines,admin,dev]"]


@pytest.mark.parametrize("name", ["boto3", "botocore"])
def test_the_engines_name_the_release_of_the_sdk_that_ministack_pins(name: str) -> None:
    """Else pip downloads each newer one, and finds that it does not fit."""
    needed = map(Requirement, metadata.requires("ministack") or [])
    (pin,) = (str(line.specifier) for line in needed if line.name == "botocore")
    release = Version(pin.removeprefix("=="))
    (held,) = (line for line in map(Requirement, EXTRAS["engines"]) if line.name == name)
    after = f"{release.major}.{release.minor}.{release.micro + 1}"
    assert held.specifier == SpecifierSet(f">={release},<{after}")


def test_the_installation_of_a_user_has_no_tool_of_the_tests() -> None:
    names = {canonicalize_name(Requirement(line).name) for line in EXTRAS["dev"]}
    users = [*PROJECT["dependencies"], *EXTRAS["engines"], *EXTRAS["admin"]]
    assert not names & {canonicalize_name(Requirement(line).name) for line in users}
    assert {"pytest", "moto"} <= names


def test_the_metadata_lists_the_supported_python_versions() -> None:
    takes = SpecifierSet(PROJECT["requires-python"])
    prefix = "Programming Language :: Python :: 3."
    named = [classifier for classifier in PROJECT["classifiers"] if classifier.startswith(prefix)]
    versions = [Version(classifier.rpartition(" ")[2]) for classifier in named]
    assert takes.contains(min(versions))
    assert not takes.contains(f"3.{min(versions).minor - 1}")
    oldest = str(min(versions))
    assert PYPROJECT["tool"]["mypy"]["python_version"] == oldest
    assert PYPROJECT["tool"]["ruff"]["target-version"] == f"py{oldest.replace('.', '')}"
    assert ".".join(map(str, parts.OLDEST_PYTHON)) == oldest


def test_every_tool_that_can_has_its_settings_in_pyproject() -> None:
    elsewhere = ["setup.cfg", "setup.py", "pytest.ini", "tox.ini", "mypy.ini", ".mypy.ini"]
    elsewhere += ["ruff.toml", ".ruff.toml", ".coveragerc", "MANIFEST.in"]
    assert [name for name in elsewhere if (PROJECT_ROOT / name).exists()] == []
    assert {"ruff", "mypy", "pytest"} <= set(PYPROJECT["tool"])
