"""Stand-ins for the commands of a page that cannot run in a test, each with its reason.

A command that is not in :data:`world.PROGRAMS` and has no stand-in here fails its page.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields
from importlib import metadata
from typing import Any

import botocore.exceptions
from botocore import xform_name
from packaging.requirements import Requirement

from core.doctor import machine
from core.settings import PROJECT_ROOT, Settings

from .readers_own import READERS_OWN
from .world import FOREGROUND, Outcome, World

SETTINGS = {name for setting in fields(Settings) for name in setting.metadata["names"]}
StandIn = Callable[[World, list[str], str | None], Outcome]


def perform(world: World, line: str, shown: str | None) -> Outcome:
    """Do what a line says; ``shown`` is what the page shows as its output."""
    output = ""
    for command in line.split(" && "):
        done = _perform_one(world, command.removeprefix(".venv/bin/"), shown)
        output += done.output
        if done.code:
            return Outcome(output, done.code)
    return Outcome(output)


def _perform_one(world: World, command: str, shown: str | None) -> Outcome:
    words = shlex.split(command)
    for beginning, stand_in in STAND_INS.items():
        if words[: len(beginning.split())] == beginning.split():
            return stand_in(world, words, shown)
    if words[0] == "invoke" and "--no-admin" not in words and FOREGROUND & set(words[1:2]):
        return world.run_until_ready(command, shown)
    return world.run(command)


def _export(world: World, words: list[str], _: str | None) -> Outcome:
    """The reader's own hosts and ids become those of the stores here; other values are kept."""
    name, _, value = words[1].partition("=")
    assert name in SETTINGS, f"{name} is no setting"
    world.env[name] = READERS_OWN[name](world, value) if name in READERS_OWN else value
    return Outcome("")


def _dry(world: World, words: list[str], _: str | None) -> Outcome:
    """The project's checks take minutes, and one of them is running: only show their commands."""
    done = world.run(shlex.join(["invoke", "--dry", *words[1:]]))
    folder = str(PROJECT_ROOT).replace(" ", r"\ ")  # as Invoke quotes it
    assert f"cd {folder} && " in done.output, done.output
    return Outcome("", done.code)


def _make_venv(world: World, words: list[str], _: str | None) -> Outcome:
    """A virtual environment is made; without pip, which takes seconds and is not needed here."""
    *options, name = words[1:]
    folder = world.folder / name
    without_pip = [word for word in options if word != "--upgrade-deps"] + ["--without-pip"]
    subprocess.run([sys.executable, *without_pip, name], cwd=world.folder, check=True)
    assert (folder / "bin" / "python").exists()
    return Outcome("")


def _pip_install(world: World, words: list[str], _: str | None) -> Outcome:
    """Nothing is downloaded: the packages are installed already, in a suitable version."""
    lines: list[str] = []
    rest = iter(words[2:])
    for word in rest:
        if word == "-r":
            lines += _requirement_lines(world, next(rest))
        elif word == "-e":
            lines += _lines_of_parts(next(rest))
        elif word != "-q":
            assert not word.startswith("-"), f"not understood: {word}"
            lines.append(word)
    for requirement in map(Requirement, lines):
        installed = metadata.distribution(requirement.name)
        assert requirement.specifier.contains(installed.version), requirement
        extras = set(installed.metadata.get_all("Provides-Extra") or [])
        assert requirement.extras <= extras, requirement
    return Outcome("")


def _requirement_lines(world: World, name: str) -> list[str]:
    lines = []
    path = world.folder / name  # written on this page, or the checkout's
    path = path if path.exists() else PROJECT_ROOT / name
    for line in path.read_text().splitlines():
        bare = line.partition("#")[0].strip()
        if bare:
            lines += _lines_of_parts(bare.removeprefix("-e ")) if bare[0] == "-" else [bare]
    return lines


def _lines_of_parts(project: str) -> list[str]:
    """The packages of the parts that ``.[engines,admin]`` names."""
    declared = machine.declared_packages()
    extras = [extra for extra in project.removeprefix(".").strip("[]").split(",") if extra]
    return [line for part in ("", *extras) for line in declared[part]]


def _uv(world: World, words: list[str], _: str | None) -> Outcome:
    """Nothing is looked up. What is locked, tests/test_packaging.py checks."""
    assert (PROJECT_ROOT / "uv.lock").exists()
    if "-o" in words:
        (world.folder / words[words.index("-o") + 1]).touch()
    return Outcome("")


def _uv_run(world: World, words: list[str], shown: str | None) -> Outcome:
    return perform(world, shlex.join(words[2:]), shown)


def _compose_up(world: World, words: list[str], _: str | None) -> Outcome:
    """There is no Docker: the engines here play the two services (``readers_own.py``).

    That compose.yaml has them on the ports of the page, tests/workspaces/test_compose.py checks.
    """
    assert (PROJECT_ROOT / "compose.yaml").exists()
    assert set(words[3:]) <= {"--detach", "--wait"}
    return Outcome("")


def _sam_deploy(world: World, words: list[str], _: str | None) -> Outcome:
    """There is no AWS to deploy to: the template, its code and its parameters are there.

    That AWS takes the template is cfn-lint's to say, in tests/integration/test_lambda_package.py.
    """
    options = [word for word in words[2:] if word != "--guided"]
    template = world.folder / options[options.index("--template-file") + 1]
    text = template.read_text()
    code = re.search(r"Code: (\S+)", text)
    assert code
    assert (template.parent / code[1]).exists(), "invoke lambda.package comes first"
    for option in options[options.index("--template-file") + 2 :]:
        if option != "--parameter-overrides":
            assert re.search(rf"^  {option.partition('=')[0]}:$", text, re.M), option
    return Outcome("")


def _aws(world: World, words: list[str], _: str | None) -> Outcome:
    """The AWS CLI needs a separate installation, so the same request is sent with botocore."""
    client = world.aws_client(words[1], prod=True)
    operation = client.meta.method_to_api_mapping[xform_name(words[2].title().replace("-", ""))]
    shape = client.meta.service_model.operation_model(operation).input_shape
    try:
        reply = getattr(client, xform_name(operation))(**_aws_parameters(world, words[3:], shape))
    except botocore.exceptions.ClientError as error:
        return Outcome(str(error), 254)
    finally:
        client.close()
    reply.pop("ResponseMetadata")
    return Outcome(json.dumps(reply, default=str))


def _aws_parameters(world: World, words: list[str], shape: Any) -> dict[str, Any]:
    members = {xform_name(name, "-"): name for name in shape.members}
    options: dict[str, list[str]] = {}
    for word in words:
        if word.startswith("--"):
            values = options.setdefault(members[word[2:]], [])
        else:
            values.append(world.expand(word))
    return {name: _aws_value(shape.members[name], values) for name, values in options.items()}


def _aws_value(shape: Any, words: list[str]) -> Any:
    """A value in the AWS CLI's shorthand: ``Name=value,Name=value``."""
    if shape.type_name == "list":
        return [_aws_value(shape.member, [word]) for word in words]
    if shape.type_name == "boolean":
        return words in ([], ["true"])
    (word,) = words
    if shape.type_name == "structure":
        pairs = dict(part.split("=", 1) for part in word.split(","))
        return {name: _aws_value(shape.members[name], [value]) for name, value in pairs.items()}
    return word


STAND_INS: dict[str, StandIn] = {
    "export": _export,
    "invoke test": _dry,
    "invoke lint": _dry,
    "invoke bench": _dry,
    "python3 -m venv": _make_venv,
    "pip install": _pip_install,
    "uv sync": _uv,
    "uv lock": _uv,
    "uv export": _uv,
    "uv run": _uv_run,
    "docker compose up": _compose_up,
    "sam deploy": _sam_deploy,
    "aws": _aws,
}
