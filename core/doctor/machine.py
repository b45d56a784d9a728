"""The checks of this machine: Python, packages, disk, the embedded engines."""

from __future__ import annotations

import shutil
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from core.commands import Command
from core.doctor.findings import Finding, bad, note, ok
from core.parts import ADMIN, DEV, ENGINES, OLDEST_PYTHON, how_to_install, requirements_file
from core.places import NAME, PROJECT_ROOT, is_checkout
from core.targets import Target

if TYPE_CHECKING:
    from packaging.requirements import Requirement

    from core.engines import EngineStatus
PROJECT_FILE = "pyproject.toml"
NOTABLE_BYTES = 1_000_000_000
SCARCE_BYTES = 100_000_000


def python(_: Target, version: tuple[int, ...] = tuple(sys.version_info[:3])) -> Iterator[Finding]:
    """Whether this Python is one that the project runs on."""
    version_and_path = f"Python {'.'.join(map(str, version))} at {sys.executable}"
    if version < OLDEST_PYTHON:
        oldest = ".".join(map(str, OLDEST_PYTHON))
        yield bad(
            "python",
            f"{version_and_path}; the project needs {oldest} or newer",
            f"With such a Python, run: {_venv_command()}",
        )
    else:
        yield ok("python", version_and_path)


def _venv_command() -> str:
    return f"python3 -m venv .venv && .venv/bin/pip install -r {requirements_file()}"


def packages(
    target: Target, declared: Mapping[str, Sequence[str]] | None = None
) -> Iterator[Finding]:
    """Whether every package that this target needs is installed in a suitable version.

    ``declared`` has the packages by the extra that lists them; "" is the command line itself.
    """
    parts = {
        extra: list(map(_parsed, lines))
        for extra, lines in (declared or declared_packages()).items()
    }
    needs_engines = not (target.is_production or target.settings.connection_url)
    used = [""] + [ENGINES] * (needs_engines or _is_installed(parts[ENGINES]))
    used += [ADMIN] * _is_installed(parts[ADMIN])
    required = {extra: list(_with_extras(parts[extra])) for extra in used}
    faults = [
        (fault, extra)
        for extra, requirements in required.items()
        for requirement in requirements
        if (fault := _fault(requirement))
    ]
    if faults:
        hint = how_to_install(*{extra for _, extra in faults if extra})
        yield bad("packages", "; ".join(fault for fault, _ in faults), hint)
        return
    unused = [extra for extra in (ENGINES, ADMIN) if extra not in used]
    without = f", without the extra {' and '.join(unused)}" if unused else ""
    count = len({one.name for requirements in required.values() for one in requirements})
    yield ok("packages", f"{count} packages, as {PROJECT_FILE} requires{without}")


def _parsed(line: str) -> Requirement:
    from packaging.requirements import Requirement

    return Requirement(line)


def _is_installed(requirements: Sequence[Requirement]) -> bool:
    """Whether the first package of an extra is installed: then the others should be, too."""
    fault = _fault(requirements[0])
    return fault is None or "not installed" not in fault


def declared_packages() -> dict[str, list[str]]:
    """What the project needs by the extra that lists it: "" is the command line itself."""
    if is_checkout():  # the metadata may be those of an earlier state of the file
        project = tomllib.loads((PROJECT_ROOT / PROJECT_FILE).read_text("utf-8"))["project"]
        return {"": project["dependencies"], **project["optional-dependencies"]}
    from importlib.metadata import requires

    declared: dict[str, list[str]] = {}
    for line in requires(NAME) or ():
        marker = _parsed(line).marker
        extras = (extra for extra in (ENGINES, ADMIN, DEV) if f'"{extra}"' in str(marker or ""))
        declared.setdefault(next(extras, ""), []).append(line.partition(";")[0])
    return declared


def _with_extras(requirements: Sequence[Requirement]) -> Iterator[Requirement]:
    """The requirements, and those that their extras add."""
    from importlib.metadata import PackageNotFoundError, requires

    for requirement in requirements:
        yield requirement
        try:
            brought = list(map(_parsed, requires(requirement.name) or ()))
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
            f"{_venv_command()} && . .venv/bin/activate",
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
    used["aws"] = used["dynamodb"]  # beside dynoxide
    if target.is_production or not any(used.values()):
        yield ok("engines", "Not used by this target")
        return
    statuses = [
        engine for engine in embedded.status(settings.engines_path) if used.get(engine.name)
    ]
    if all(engine.state == embedded.RUNNING for engine in statuses):
        yield ok(
            "engines", ", ".join(f"{engine.name} runs on port {engine.port}" for engine in statuses)
        )
        return
    # A start leaves what runs alone.
    step = "down" if any(engine.state == embedded.SILENT for engine in statuses) else "up"
    yield bad("engines", "; ".join(map(_engine, statuses)), "Run", Command(step))


def _engine(engine: EngineStatus) -> str:
    from core.engines import RUNNING

    summary = f"{engine.name} is {engine.state}"
    if engine.state == RUNNING or not engine.notes:
        return summary
    return f"{summary}: {engine.notes}"
