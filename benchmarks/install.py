"""The size of an installation on disk, compared with any tool of this kind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from report import Row, print_rows

from core.settings import PROJECT_ROOT

PEERS = ("streamlit", "boto3", "psycopg[binary,pool]")


def bench_install() -> None:
    lines = (PROJECT_ROOT / "requirements.txt").read_text().splitlines()
    asked = [line for line in lines if line and not line.startswith(("#", "-"))]
    here_mb, peer_mb = _size_mb(asked), _size_mb(PEERS)
    print_rows(
        "What requirements.txt installs, beside Streamlit, boto3 and psycopg alone",
        Row("on disk, without bytecode", "MB", here_mb, peer_mb, 1.4),
    )


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
