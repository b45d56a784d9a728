"""The checks of this machine: Python, packages, disk, the embedded engines."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from core.commands import Command
from core.doctor.findings import Finding, bad, note, ok
from core.doctor.probes import INSTALL
from core.settings import PROJECT_ROOT
from core.targets import Target

if TYPE_CHECKING:
    from packaging.requirements import Requirement

    from core.engines import EngineStatus

VENV = "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt"
NOTABLE_BYTES = 1_000_000_000
SCARCE_BYTES = 100_000_000


def python(_: Target, version: tuple[int, ...] = tuple(sys.version_info[:3])) -> Iterator[Finding]:
    """Whether this Python is one that the project runs on."""
    version_and_path = f"Python {'.'.join(map(str, version))} at {sys.executable}"
    project = (PROJECT_ROOT / "pyproject.toml").read_text("utf-8")
    oldest = re.search(r'requires-python = ">=([\d.]+)"', project)
    if oldest is None:
        yield note(
            "python", f"{version_and_path}; pyproject.toml does not say which version is needed"
        )
    elif version < tuple(map(int, oldest[1].split("."))):
        yield bad(
            "python",
            f"{version_and_path}; the project needs {oldest[1]} or newer",
            f"With such a Python, run: {VENV}",
        )
    else:
        yield ok("python", version_and_path)


def packages(
    _: Target, requirements: Path = PROJECT_ROOT / "requirements.txt"
) -> Iterator[Finding]:
    """Whether every required package is installed in a suitable version."""
    wanted = list(_required(requirements))
    faults = [fault for requirement in wanted if (fault := _fault(requirement))]
    if faults:
        yield bad("packages", "; ".join(faults), INSTALL)
    else:
        yield ok("packages", f"{len(wanted)} packages, as {requirements.name} requires")


def _required(requirements: Path) -> Iterator[Requirement]:
    """The requirements, and those that their extras add."""
    from importlib.metadata import PackageNotFoundError, requires

    from packaging.requirements import Requirement

    lines = (line.partition("#")[0].strip() for line in requirements.read_text("utf-8").split("\n"))
    for line in lines:
        if not line or (line.startswith("-") and line != "-e ."):
            continue
        requirement = Requirement("cruddur-ops" if line == "-e ." else line)
        yield requirement
        try:
            brought = [Requirement(text) for text in requires(requirement.name) or ()]
        except PackageNotFoundError:
            continue
        for extra in requirement.extras:
            environment = {"extra": extra}
            yield from (
                requirement_of_extra
                for requirement_of_extra in brought
                if requirement_of_extra.marker and requirement_of_extra.marker.evaluate(environment)
            )


def _fault(requirement: Requirement) -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        installed = version(requirement.name)
    except PackageNotFoundError:
        return f"{requirement.name} is not installed"
    if requirement.specifier.contains(installed, prereleases=True):
        return None
    return f"{requirement.name} is {installed} instead of {requirement.specifier}"


def virtual_environment(
    _: Target, prefix: str = sys.prefix, base_prefix: str = sys.base_prefix
) -> Iterator[Finding]:
    """Whether packages go into a virtual environment."""
    if prefix != base_prefix:
        yield ok("virtual environment", prefix)
    else:
        yield note(
            "virtual environment",
            f"None: the packages are those of the system's Python in {prefix}",
            f"{VENV} && . .venv/bin/activate",
        )


def disk(
    target: Target, scarce: int = SCARCE_BYTES, notable: int = NOTABLE_BYTES
) -> Iterator[Finding]:
    """Whether the disk has room for the engines' data and for exports."""
    folder = target.settings.engines_path
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    free_space = f"{_size(free)} free at {folder}"
    if free < scarce:
        yield bad(
            "disk",
            free_space,
            f"Free some space. To see what is large: du -xsh {folder}/* | sort -h",
        )
    elif free < notable:
        yield note("disk", free_space, f"To see what is large: du -xsh {folder}/* | sort -h")
    else:
        yield ok("disk", free_space)


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:,.1f} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:,.0f} MB"


def engines(target: Target) -> Iterator[Finding]:
    """Whether the embedded engines run, if this target is on them."""
    from core import engines as embedded

    settings = target.settings
    used = {"postgres": not settings.connection_url, "dynamodb": not settings.endpoint_url}
    if target.is_production or not any(used.values()):
        yield ok("engines", "Not used by this target")
        return
    statuses = [engine for engine in embedded.status(settings.engines_path) if used[engine.name]]
    if all(engine.state == "running" for engine in statuses):
        yield ok(
            "engines", ", ".join(f"{engine.name} runs on port {engine.port}" for engine in statuses)
        )
    else:
        yield bad("engines", "; ".join(map(_engine, statuses)), "Run", Command("up"))


def _engine(engine: EngineStatus) -> str:
    summary = f"{engine.name} is {engine.state}"
    if engine.state == "running" or not engine.notes:
        return summary
    return f"{summary}: {engine.notes}"
