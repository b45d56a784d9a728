"""compose.yaml, as far as it can be checked without Docker."""

from __future__ import annotations

import re
from dataclasses import fields
from urllib.parse import urlsplit

import jsonschema
import pytest
import yaml

from core.engines import DATABASE
from core.settings import PROJECT_ROOT, Settings
from core.targets import resolve
from core.targets.postgres import parse_url

COMPOSE = yaml.safe_load((PROJECT_ROOT / "compose.yaml").read_text())
DB, DDB = COMPOSE["services"]["db"], COMPOSE["services"]["ddb"]
PAGE = (PROJECT_ROOT / "docs" / "workspaces.md").read_text()

TEXT = {"type": "string", "minLength": 1}
SECONDS = {"type": "string", "pattern": r"^\d+s$"}
SERVICE = {
    "type": "object",
    "required": ["image", "ports", "volumes", "healthcheck"],
    "additionalProperties": False,
    "properties": {
        "image": {"type": "string", "pattern": r"^[a-z/-]+:\d[\w.-]*$"},
        **dict.fromkeys(("user", "working_dir", "command"), TEXT),
        "environment": {"type": "object", "additionalProperties": TEXT},
        "ports": {
            "type": "array",
            "items": {"type": "string", "pattern": r"^127\.0\.0\.1:\d+:\d+$"},
        },
        "volumes": {"type": "array", "items": {"type": "string", "pattern": r"^[a-z]+:/"}},
        "healthcheck": {
            "type": "object",
            "required": ["test"],
            "additionalProperties": False,
            "properties": {
                "test": {"type": "array", "prefixItems": [{"enum": ["CMD", "CMD-SHELL"]}]},
                "interval": SECONDS,
                "timeout": SECONDS,
                "retries": {"type": "integer"},
            },
        },
        "restart": {"enum": ["no", "always", "on-failure", "unless-stopped"]},
    },
}
ADMIN = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        **dict.fromkeys(("build", "image", "network_mode", "restart"), TEXT),
        **{
            key: {"type": "array", "items": TEXT}
            for key in ("profiles", "command", "tmpfs", "cap_drop", "security_opt", "volumes")
        },
        "environment": {"type": "object", "additionalProperties": TEXT},
        "depends_on": {
            "type": "object",
            "additionalProperties": {"const": {"condition": "service_healthy"}},
        },
        "read_only": {"type": "boolean"},
    },
}
SCHEMA = {
    "type": "object",
    "required": ["services", "volumes"],
    "additionalProperties": False,
    "properties": {
        "name": TEXT,
        "services": {
            "type": "object",
            "properties": {"admin": ADMIN},
            "additionalProperties": SERVICE,
        },
        "volumes": {"type": "object", "additionalProperties": {"type": "null"}},
    },
}


def published(service: dict) -> str:
    """``127.0.0.1:8000`` of a service's one port."""
    (port,) = service["ports"]
    return port.rpartition(":")[0]


def variables() -> dict[str, str]:
    """The variables that the page exports."""
    return dict(re.findall(r"^export (\w+)=(\S+)$", PAGE, flags=re.M))


def test_the_file_has_documented_keys_pinned_images_and_loopback_ports() -> None:
    jsonschema.validate(COMPOSE, SCHEMA)


@pytest.mark.parametrize("service", [DB, DDB], ids=["db", "ddb"])
def test_a_store_keeps_its_data_in_a_volume_that_is_declared(service) -> None:
    (volume,) = (mount.split(":")[0] for mount in service["volumes"])
    assert volume in COMPOSE["volumes"]


def test_ports_and_names_are_those_of_cruddur_s_own_file() -> None:
    assert (DB["ports"], DDB["ports"]) == (["127.0.0.1:5432:5432"], ["127.0.0.1:8000:8000"])
    assert DB["environment"] == {
        "POSTGRES_USER": "postgres",
        "POSTGRES_PASSWORD": "password",
        "POSTGRES_DB": DATABASE,
    }


def test_dynamodb_local_writes_into_its_volume_whatever_the_credentials() -> None:
    (target,) = (mount.split(":")[1] for mount in DDB["volumes"])
    options = DDB["command"].split()
    folder = options[options.index("-dbPath") + 1].removeprefix("./")
    assert f"{DDB['working_dir']}/{folder}" == target
    assert "-sharedDb" in options
    assert "-inMemory" not in options


def test_the_variables_on_the_page_point_the_tasks_there() -> None:
    exported = variables()
    known = {name for setting in fields(Settings) for name in setting.metadata["names"]}
    assert set(exported) <= known
    target = resolve(Settings.from_env(exported, PROJECT_ROOT / "no .env"), prod=False)
    assert urlsplit(target.dynamodb.endpoint_url).netloc == published(DDB)
    names = DB["environment"]
    assert target.postgres.place == published(DB)
    assert (target.postgres.user, target.postgres.dbname) == (names["POSTGRES_USER"], DATABASE)
    whole = f"postgresql://postgres:{names['POSTGRES_PASSWORD']}@{published(DB)}/{DATABASE}"
    assert target.postgres == parse_url(whole, "CONNECTION_URL")


def test_the_admin_ui_uses_these_stores_and_has_no_right_that_it_does_not_need() -> None:
    admin = COMPOSE["services"]["admin"]
    assert admin["environment"] == variables()
    assert set(admin["depends_on"]) == {"db", "ddb"}
    assert admin["profiles"] == ["admin"]  # the stores alone start without it
    assert admin["network_mode"] == "host"  # it listens on 127.0.0.1 only
    assert admin["read_only"]
    assert admin["cap_drop"] == ["ALL"]
    assert admin["security_opt"] == ["no-new-privileges:true"]
    volumes = dict(mount.split(":") for mount in admin["volumes"])
    assert volumes == {"data": "/data"}
    assert set(volumes) <= set(COMPOSE["volumes"])
    task, *options = admin["command"]
    assert (task, options) == ("start", ["--port", "8501"])


def test_the_healthchecks_use_the_published_ports() -> None:
    assert DDB["healthcheck"]["test"][1].endswith(f"http://{published(DDB)}")
    assert f"--dbname {DATABASE}" in DB["healthcheck"]["test"][1]
