"""The durable DynamoDB: dynoxide, one program on SQLite. Nothing is lost when it is killed."""

from __future__ import annotations

import os
import platform
import shutil
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from core.engines import processes, requests
from core.engines.state import Engine
from core.errors import EngineError, SettingsError
from core.private_files import open_private

NAME = "dynoxide"
FOLDER = "dynoxide"
PACKAGE = "@dynoxide/linux-x64"
VERSION = "1.2.1"
"""The version that the tests run with."""

_DATABASE = "data.sqlite"


@dataclass(frozen=True, slots=True)
class Place:
    """Where dynoxide keeps its data."""

    folder: Path
    log: Path

    @classmethod
    def of_data(cls, folder: Path) -> Place:
        """The place of the dynoxide that has DynamoDB's data."""
        return cls(folder / FOLDER, folder / "dynamodb.log")

    @classmethod
    def of_move(cls, folder: Path) -> Place:
        """The place of a dynoxide that DynamoDB's data moves into."""
        return cls(folder / f"{FOLDER}.new", folder / "move.log")


def find(setting: str | None, folder: Path) -> Path | None:
    """See :func:`core.engines.find_dynoxide`."""
    if setting:
        named = shutil.which(setting)
        if named is None:
            raise SettingsError(
                f"DYNOXIDE is {setting!r}, which is not a program", "Correct it or unset it."
            )
        return Path(named).absolute()  # it is started in another folder
    installed = _installed(folder)
    on_path = shutil.which(NAME)
    if on_path:
        return Path(on_path).absolute()
    return installed if installed.exists() else None


def _installed(folder: Path) -> Path:
    return folder / "npm" / "node_modules" / PACKAGE / NAME


def install(folder: Path) -> Path:
    """See :func:`core.engines.install_dynoxide`."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise EngineError(
            f"npm has no dynoxide for {platform.system()} on {platform.machine()}",
            "Build it from its source, and name the program in DYNOXIDE.",
        )
    npm = shutil.which("npm")
    if npm is None:
        raise EngineError("npm is not installed", "Install it, or name a dynoxide in DYNOXIDE.")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    place = str(folder / "npm")
    options = ["--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run(
        [npm, "install", "--prefix", place, *options, f"{PACKAGE}@{VERSION}"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode or not _installed(folder).exists():
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise EngineError(
            f"npm could not install {PACKAGE}: {lines[0] if lines else 'no reason was given'}",
            "Check the network, then run it again.",
        )
    return _installed(folder)


def start(place: Place, binary: Path, engine: Engine, keep: Callable[[], None]) -> bool:
    """True if dynoxide was started; False if it runs already. It answers then.

    Records its process in ``engine`` and calls ``keep`` at once.

    Raises:
        EngineError: the system cannot run ``binary``, or it does not answer.
    """
    if (process := running(place, engine)) is not None:
        processes.await_answer(process, lambda: answers(engine.port), NAME)
        return False
    processes.require_free(engine.port, NAME, place.folder.parent)
    place.folder.mkdir(mode=0o700, exist_ok=True)
    address = ["--host", "127.0.0.1", "--port", str(engine.port)]
    with open_private(place.log) as output:
        output.truncate(0)
        try:
            child = subprocess.Popen(
                [str(binary), "serve", *address, "--db-path", _DATABASE],
                cwd=place.folder,
                env={"PATH": os.defpath, "HOME": str(place.folder)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                umask=0o077,
            )
        except OSError as error:
            raise EngineError(
                f"Could not run {binary}: {error.strerror}",
                "Name a dynoxide that runs in DYNOXIDE.",
            ) from error
    processes.await_start(child, engine, keep, lambda: answers(engine.port), NAME, place.log)
    return True


def running(place: Place, engine: Engine) -> psutil.Process | None:
    """The dynoxide process of this place; None if it does not run."""
    return processes.in_folder(engine.process, place.folder, _DATABASE)


def stop(place: Place, engine: Engine) -> bool:
    """True if dynoxide was stopped; False if it did not run."""
    process = running(place, engine)
    if process is not None:
        processes.end(process, signal.SIGTERM, NAME)
    engine.process = None  # one that did not end is still the engine's
    return process is not None


def answers(port: int) -> bool:
    """Whether a DynamoDB answers on ``port``."""
    try:
        requests.send(port, "ListTables", {}, timeout_s=2)
    except (EngineError, OSError, ValueError):  # refused: it is another program
        return False
    return True
