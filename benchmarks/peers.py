"""The peers that come from PyPI, in a folder of their own: to use this project needs none of them.

``pip`` installs them once, about 250 MB, into `.benchmark-peers/` of the checkout.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from dataclasses import dataclass

from core.settings import PROJECT_ROOT

FOLDER = PROJECT_ROOT / ".benchmark-peers"
REQUIREMENTS = ("awscli>=1.45,<2", "boto3>=1.43,<2", "pydynox>=1.8,<2", "pynamodb>=6.1,<7")


@dataclass(frozen=True, slots=True)
class Peers:
    """The programs of the folder, or why there are none."""

    python: str = ""
    aws: str = ""
    missing: str = ""


def install_peers() -> Peers:
    """Install what is not there yet. Without an index of packages, say so and go on."""
    installed = FOLDER / "installed.txt"
    wanted = "\n".join(REQUIREMENTS)
    if not installed.exists() or installed.read_text() != wanted:
        print(
            f"Installing the peers into {FOLDER.name}: {', '.join(REQUIREMENTS)}", file=sys.stderr
        )
        venv.create(FOLDER, clear=True, with_pip=True)
        command = [_program("python"), "-m", "pip", "install", "--quiet", *REQUIREMENTS]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            return Peers(missing=f"pip: {(done.stderr.strip().splitlines() or ['failed'])[-1]}")
        installed.write_text(wanted)
    return Peers(_program("python"), _program("aws"))


def _program(name: str) -> str:
    return str(FOLDER / "bin" / name)
