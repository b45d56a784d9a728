"""Where this program's files are, and where it keeps its data.

A checkout keeps its data in itself. A program that was installed elsewhere may be replaced as a
whole, so its data is where the platform keeps a user's data.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parent.parent
"""The checkout, or the folder in which an installation has the same files."""

NAME = "cruddur-ops"


def is_checkout(root: Path = PROJECT_ROOT) -> bool:
    """Whether the program runs from a checkout: an installation has no ``pyproject.toml``."""
    return (root / "pyproject.toml").is_file()


def data_folder(environ: Mapping[str, str], root: Path = PROJECT_ROOT) -> Path:
    """The folder that relative paths in the settings begin at.

    The rule on Linux: https://specifications.freedesktop.org/basedir-spec/latest/
    """
    if is_checkout(root):
        return root
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / NAME
    named = Path(environ.get("XDG_DATA_HOME", ""))
    return (named if named.is_absolute() else Path.home() / ".local" / "share") / NAME
