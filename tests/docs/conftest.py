"""A clean place for each page: engines for the reader's machine, and others for AWS."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import unguarded
from commands.typed import Commands

from core import engines as embedded
from core.engines import Endpoints
from core.targets.postgres import parse_url

from .stand_ins import SETTINGS
from .world import World, environment, furnish


@pytest.fixture(scope="session")
def readers_engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of engines that pages may stop, start and fill."""
    folder = tmp_path_factory.mktemp("reader") / ".engines"
    embedded.start(folder)
    try:
        yield folder
    finally:
        embedded.stop(folder)


@pytest.fixture
def world(
    readers_engines: Path, engines: Endpoints, commands: Commands, tmp_path: Path
) -> Iterator[World]:
    """A reader without settings or data, and an AWS account without any of their resources."""
    embedded.start(readers_engines)
    local = embedded.endpoints(readers_engines)
    furnish(tmp_path, commands)
    unset = dict.fromkeys(SETTINGS, "")
    env = environment(tmp_path, unset, readers_engines, engines.aws_endpoint_url)
    world = World(tmp_path, env, local, engines, commands)
    url = engines.aws_endpoint_url
    world.disguises += [(f"AWS at {url}", "AWS at account 123456789012"), (url, "AWS")]
    _clear(world)
    yield world
    embedded.start(readers_engines)
    _clear(world)


def _clear(world: World) -> None:
    """Drop everything that a page may have made, on both sides."""
    for prod, endpoints in ((False, world.local), (True, world.production)):
        unguarded.drop_database(parse_url(endpoints.postgres_url, "the engines' URL"))
        client = world.aws_client("dynamodb", prod=prod)
        if "cruddur-messages" in client.list_tables()["TableNames"]:
            client.delete_table(TableName="cruddur-messages")
        client.close()
