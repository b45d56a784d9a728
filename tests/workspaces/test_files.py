"""The start-up files of workspaces: valid, consistent, and with existing tasks."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib

import jsonschema

from core.settings import PROJECT_ROOT
from tests.workspaces.workspace import LIFECYCLE, PORT, devcontainer, gitpod, invoked, ona

TEXT = {"type": "string", "minLength": 1}

# The keys that Gitpod, Ona and the Development Containers specification document, as far as they
# are of use here; a key beside them is a slip of the pen.
GITPOD_SCHEMA = {
    "type": "object",
    "required": ["image", "tasks", "ports"],
    "additionalProperties": False,
    "properties": {
        "image": TEXT,
        "tasks": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["name", "command"],
                "additionalProperties": False,
                "properties": dict.fromkeys(("name", "before", "init", "command"), TEXT),
            },
        },
        "ports": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["port", "name", "visibility", "onOpen"],
                "additionalProperties": False,
                "properties": {
                    "port": {"type": "integer"},
                    "name": TEXT,
                    "description": TEXT,
                    "visibility": {"enum": ["private", "public"]},
                    "onOpen": {"enum": ["open-browser", "open-preview", "notify", "ignore"]},
                },
            },
        },
    },
}
PORT_ATTRIBUTES = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "label": TEXT,
        "protocol": {"enum": ["http", "https"]},
        "onAutoForward": {"enum": ["notify", "openBrowser", "openBrowserOnce", "silent", "ignore"]},
    },
}
DEVCONTAINER_SCHEMA = {
    "type": "object",
    "required": ["name", "image", "postStartCommand"],
    "additionalProperties": False,
    "properties": {
        **dict.fromkeys(("name", "image", "remoteUser", *LIFECYCLE), TEXT),
        "features": {"type": "object", "additionalProperties": {"type": "object"}},
        "remoteEnv": {"type": "object", "additionalProperties": TEXT},
        "forwardPorts": {"type": "array", "items": {"type": "integer"}},
        "portsAttributes": {"type": "object", "additionalProperties": PORT_ATTRIBUTES},
        "otherPortsAttributes": PORT_ATTRIBUTES,
    },
}


ONA_SCHEMA = {
    "type": "object",
    "required": ["tasks"],
    "additionalProperties": False,
    "properties": {
        "tasks": {
            "type": "object",
            "propertyNames": {"pattern": "^[a-zA-Z0-9_-]{1,128}$"},
            "additionalProperties": {
                "type": "object",
                "required": ["name", "command"],
                "additionalProperties": False,
                "properties": {
                    **dict.fromkeys(("name", "description", "command"), TEXT),
                    "triggeredBy": {"type": "array", "items": {"enum": ["manual"]}},
                },
            },
        },
    },
}


def scripts() -> dict[str, list[str]]:
    """The scripts of each file."""
    return {
        "Gitpod": [task["command"] for task in gitpod()["tasks"]],
        "devcontainer": [text for key, text in devcontainer().items() if key in LIFECYCLE],
        "Ona": [task["command"] for task in ona()["tasks"].values()],
    }


def invocations(file: str) -> set[tuple[str, ...]]:
    """The words after every ``invoke`` of a file."""
    return {tuple(words) for script in scripts()[file] for words in invoked(script)}


def test_the_files_have_only_documented_keys() -> None:
    jsonschema.validate(gitpod(), GITPOD_SCHEMA)
    jsonschema.validate(devcontainer(), DEVCONTAINER_SCHEMA)
    jsonschema.validate(ona(), ONA_SCHEMA)


def test_the_admin_ui_s_port_is_named_private_and_opened() -> None:
    (port,) = gitpod()["ports"]
    assert (port["port"], port["visibility"], port["onOpen"]) == (PORT, "private", "open-browser")
    configuration = devcontainer()
    assert configuration["forwardPorts"] == [PORT]
    assert configuration["portsAttributes"] == {
        str(PORT): {"label": port["name"], "onAutoForward": "openBrowserOnce"}
    }
    assert configuration["otherPortsAttributes"] == {"onAutoForward": "ignore"}
    for file in scripts():
        assert ("admin", "--port", str(PORT)) in invocations(file)


def test_both_images_have_a_python_that_the_project_was_run_on() -> None:
    project = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text())["project"]
    for image in (gitpod()["image"], devcontainer()["image"]):
        version = image.rpartition("python")[2][1:]
        assert f"Programming Language :: Python :: {version}" in project["classifiers"], image


def test_both_files_set_up_as_the_readme_does() -> None:
    (in_readme,) = re.findall(
        r"^(python3 -m venv \.venv .*requirements\.txt) &&",
        (PROJECT_ROOT / "README.md").read_text(),
        flags=re.M,
    )
    (in_gitpod,) = [task["init"] for task in gitpod()["tasks"] if "init" in task]
    in_devcontainer = devcontainer()["updateContentCommand"].replace("/home/vscode/", "")
    assert in_gitpod == in_devcontainer == in_readme


def test_both_files_start_the_same_tasks() -> None:
    assert invocations("Gitpod") == invocations("devcontainer")


def test_the_files_start_tasks_with_options_that_exist() -> None:
    for task, *options in set().union(*map(invocations, scripts())):
        help_of_task = subprocess.run(
            [sys.executable, "-m", "invoke", "--help", task],
            cwd=PROJECT_ROOT,
            capture_output=True,
            text=True,
        )
        assert help_of_task.returncode == 0, help_of_task.stderr
        known = set(re.findall(r"--[a-z-]+", help_of_task.stdout))
        assert {option for option in options if option.startswith("--")} <= known, task
