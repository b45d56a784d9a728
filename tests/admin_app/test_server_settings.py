"""The server's settings, whatever Streamlit's variables and configuration files say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from streamlit import config

from admin_app.server_settings import server_settings
from core.origins import Addresses
from core.settings import PROJECT_ROOT

GROUPS = ("server", "client", "browser", "global", "runner", "magic", "logger", "ui")
OPTIONS = {
    name: option
    for name, option in config._config_options_template.items()
    if name.split(".")[0] in GROUPS
}
PORT = 28_917
SECRET = "server.cookieSecret"

# Runs the program as `invoke admin` does, up to the moment at which it would listen.
SHOW = """
import json, sys
from streamlit.web.server.starlette import starlette_server
from streamlit import config

def show(runner):
    values = {{name: option.value for name, option in config.get_config_options().items()}}
    json.dump(values, sys.stdout, default=str)

starlette_server.UvicornRunner.run = show
sys.argv = [{program!r}, "--port={port}", "--", "--write"]
from admin_app.__main__ import main
main()
"""


def in_force(folder: Path, **variables: str) -> dict[str, Any]:
    """Every option of a server that is started in ``folder``, which is also its user's home."""
    program = str(folder / "admin_app" / "__main__.py")
    result = subprocess.run(
        [sys.executable, "-c", SHOW.format(program=program, port=PORT)],
        cwd=folder,
        env={"PATH": os.defpath, "HOME": str(folder / "home"), **variables},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout.splitlines()[-1])


def hostile(name: str) -> Any:
    """A value of the right type that is not ours."""
    ours = server_settings(Addresses(PORT)).get(name)
    option = OPTIONS[name]
    if name == "server.trustedUserHeaders":
        return {"X-User": "sub"}
    if name == "server.unsafeMetricsUserAttributes":
        return ["email"]
    if option.multiple:
        return ["https://evil.example"]
    if option.type is bool:
        return not ours
    if option.type in (int, float):
        return option.type(ours + 7)
    return {
        "server.address": "0.0.0.0",
        "server.xsrfCookieSameSite": "none",
        "server.maxCacheDataSize": "7 MB",
        "client.showErrorDetails": "full",
        "client.showErrorLinks": "true",
        "client.toolbarMode": "developer",
        "logger.level": "debug",
        "logger.messageFormat": "%(message)s",
        "runner.enumCoercion": "off",
        "server.fileWatcherType": "poll",
    }.get(name, "/evil")


def as_text(value: Any) -> str:
    """``value`` as the text of a variable."""
    if isinstance(value, list):
        return " ".join(value)
    return json.dumps(value) if isinstance(value, (dict, bool)) else str(value)


def as_toml(values: dict[str, Any]) -> str:
    lines = ["[theme]", 'primaryColor = "#123456"']
    for name, value in values.items():
        group, option = name.split(".")
        text = '{ "X-User" = "sub" }' if isinstance(value, dict) else json.dumps(value)
        lines += [f"{group}.{option} = {text}"]
    return "\n".join([*lines[2:], *lines[:2]])


@pytest.fixture(scope="module")
def alone(tmp_path_factory) -> dict[str, Any]:
    """The options without any variable or file."""
    return in_force(tmp_path_factory.mktemp("alone"))


def test_every_option_is_set_by_us(alone) -> None:
    ours = server_settings(Addresses(PORT))
    assert set(OPTIONS) - {SECRET} == set(ours)
    assert {name: alone[name] for name in ours} == ours
    assert len(alone[SECRET]) == 64


def test_the_settings_that_protect_access_are_strict(alone) -> None:
    assert alone["server.enableCORS"] is True
    assert alone["server.enableXsrfProtection"] is True
    assert alone["server.trustedUserHeaders"] == {}
    assert alone["server.address"] == "127.0.0.1"
    assert alone["server.port"] == PORT
    assert alone["server.baseUrlPath"] == ""
    assert alone["server.allowedHosts"] == ["127.0.0.1", "localhost"]
    assert alone["client.showErrorDetails"] == "none"
    assert alone["global.developmentMode"] is False


def assert_ours(values: dict[str, Any], alone: dict[str, Any], name: str | None = None) -> None:
    secret = values.pop(SECRET)
    assert secret not in ("/evil", alone[SECRET])
    different = {
        option: value
        for option, value in values.items()
        if option in OPTIONS and value != alone[option]
    }
    assert different == {}, name


def test_no_variable_takes_precedence(alone, tmp_path) -> None:
    variables = {OPTIONS[name].env_var: as_text(hostile(name)) for name in OPTIONS}
    assert_ours(in_force(tmp_path, **variables), alone)


def test_no_variable_of_the_command_line_program_takes_precedence(alone, tmp_path) -> None:
    """Streamlit's own program also reads variables made of its name and its commands' names."""
    variables = {
        f"STREAMLIT_RUN_{name.replace('.', '_').upper()}": as_text(hostile(name))
        for name in OPTIONS
    }
    assert_ours(in_force(tmp_path, **variables), alone)


@pytest.mark.parametrize("where", ["home", ".", "admin_app"])
def test_no_configuration_file_takes_precedence(alone, tmp_path, where) -> None:
    """The user's, the working folder's, and the script's."""
    file = tmp_path / where / ".streamlit" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text(as_toml({name: hostile(name) for name in OPTIONS}))
    values = in_force(tmp_path)
    assert values["theme.primaryColor"] == "#123456"  # it was read
    assert_ours(values, alone)


@pytest.mark.parametrize("name", [name for name in OPTIONS if name != SECRET])
def test_the_tried_values_differ_from_ours(name) -> None:
    assert hostile(name) != server_settings(Addresses(PORT))[name]


def test_without_our_settings_the_files_and_variables_would_count(tmp_path, monkeypatch) -> None:
    """The control of the tests above: Streamlit itself uses these values."""
    values = {name: hostile(name) for name in OPTIONS if not name.endswith("developmentMode")}
    file = tmp_path / ".streamlit" / "config.toml"
    file.parent.mkdir()
    file.write_text(as_toml(values))
    script = (
        "import json, sys; from streamlit import config;"
        "json.dump({n: o.value for n, o in config.get_config_options().items()}, sys.stdout,"
        " default=str)"
    )
    result = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={"PATH": os.defpath, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    actual = json.loads(result.stdout)
    assert {name: actual[name] for name in values} == values


def refused(folder: Path, *options: str, **variables: str) -> str:
    """The one line of a server that does not start."""
    result = subprocess.run(
        [sys.executable, "-m", "admin_app", *options],
        cwd=folder,
        env={"PATH": os.defpath, "HOME": str(folder), "PYTHONPATH": str(PROJECT_ROOT), **variables},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert result.returncode == 1, result.stderr
    (line,) = result.stderr.splitlines()
    assert result.stdout == ""
    return line


@pytest.mark.parametrize(
    "content", [b"[auth", b"\xff\xfe", None], ids=["broken", "bytes", "folder"]
)
def test_secrets_that_cannot_be_read_print_one_line(tmp_path, content) -> None:
    file = tmp_path / "secrets.toml"
    if content is None:
        (file / "auth").mkdir(parents=True)
        (file / "auth" / "client_id").mkdir()
    else:
        file.write_bytes(content)
    line = refused(tmp_path, f"--port={PORT}", STREAMLIT_SECRETS_FILES=str(file))
    assert "secrets" in line
    assert "Fix the file or remove it." in line


def test_a_configuration_file_that_cannot_be_read_prints_one_line(tmp_path) -> None:
    file = tmp_path / ".streamlit" / "config.toml"
    file.mkdir(parents=True)
    assert "Could not read Streamlit's config.toml" in refused(tmp_path, f"--port={PORT}")


def test_a_port_in_use_prints_one_line(tmp_path, taken_port) -> None:
    assert f"port {taken_port}" in refused(tmp_path, f"--port={taken_port}")


def test_an_address_of_another_machine_prints_one_line(tmp_path) -> None:
    secrets = tmp_path / "secrets.toml"
    secrets.write_text(AUTH)
    line = refused(
        tmp_path,
        *(f"--port={PORT}", "--address=192.0.2.1", "--url=https://ops.example"),
        STREAMLIT_SECRETS_FILES=str(secrets),
    )
    assert "Could not listen on 192.0.2.1" in line


AUTH = """
[auth]
redirect_uri = "https://ops.example/oauth2callback"
cookie_secret = "a secret as long as one has to be, and longer"
client_id = "an id"
client_secret = "another secret"
server_metadata_url = "https://id.example/.well-known/openid-configuration"
"""
AUTH_SETTINGS = [line.split()[0] for line in AUTH.splitlines() if "=" in line]
ELSEWHERE = ("--address=0.0.0.0", "--url=https://ops.example")


def test_listening_for_other_machines_needs_a_login(tmp_path) -> None:
    line = refused(tmp_path, f"--port={PORT}", *ELSEWHERE)
    assert "--url needs a login, but" in line


@pytest.mark.parametrize("name", AUTH_SETTINGS)
def test_listening_for_other_machines_needs_every_setting_of_the_login(tmp_path, name) -> None:
    secrets = tmp_path / "secrets.toml"
    secrets.write_text("\n".join(line for line in AUTH.splitlines() if not line.startswith(name)))
    line = refused(tmp_path, f"--port={PORT}", *ELSEWHERE, STREAMLIT_SECRETS_FILES=str(secrets))
    assert f"{name} is missing in the settings" in line


def test_listening_for_other_machines_needs_a_login_that_returns_to_the_url(tmp_path) -> None:
    secrets = tmp_path / "secrets.toml"
    secrets.write_text(AUTH.replace("https://ops.example/", "https://ops.example.org/"))
    line = refused(tmp_path, f"--port={PORT}", *ELSEWHERE, STREAMLIT_SECRETS_FILES=str(secrets))
    assert "returns to https://ops.example.org, not to https://ops.example" in line


def test_listening_for_other_machines_needs_the_url(tmp_path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "admin_app", f"--port={PORT}", "--address=0.0.0.0"],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, "--url" in result.stderr) == (2, True)
