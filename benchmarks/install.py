"""The size of an installation on disk, compared with any tool of this kind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from report import Row, print_rows

from core.doctor import machine

DRIVERS = ("boto3", "psycopg[binary,pool]")
WITH_UI = (*DRIVERS, "streamlit")
PARTS = (
    ("the command line, beside boto3 and psycopg", (), DRIVERS, 1.3),
    ("with the extra engines, beside the same", ("engines",), DRIVERS, None),
    ("with admin too, beside Streamlit as well", ("engines", "admin"), WITH_UI, 1.4),
)


def bench_install() -> None:
    declared = machine.declared_packages()
    rows = []
    for measured, extras, peers, target in PARTS:
        asked = [line for part in ("", *extras) for line in declared[part]]
        rows.append(Row(measured, "MB", _size_mb(asked), _size_mb(peers), target))
    print_rows("An installation on disk, without bytecode", *rows)


def _size_mb(requirements: Iterable[str]) -> float:
    return sum(map(_size_bytes, _installed(map(Requirement, requirements)).values())) / 1e6


def _size_bytes(distribution: metadata.Distribution) -> int:
    files = (Path(str(file.locate())) for file in distribution.files or [])
    return sum(path.stat().st_size for path in files if path.suffix != ".pyc" and path.is_file())


def _installed(requirements: Iterable[Requirement]) -> dict[str, metadata.Distribution]:
    """The distributions that are asked for, and all that they need, as they are installed here."""
    installed: dict[str, metadata.Distribution] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = list(requirements)
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if (name, frozenset(requirement.extras)) not in seen:
            seen.add((name, frozenset(requirement.extras)))
            installed[name] = metadata.distribution(name)
            waiting += _needed(installed[name], {"", *requirement.extras})
    return installed


def _needed(distribution: metadata.Distribution, extras: set[str]) -> Iterator[Requirement]:
    for line in distribution.requires or []:
        needed = Requirement(line)
        if needed.marker is None or any(
            needed.marker.evaluate({"extra": extra}) for extra in extras
        ):
            yield needed
