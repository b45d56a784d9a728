"""Whether a missing table exists for another region or access key of a local endpoint.

DynamoDB Local without ``-sharedDb``, ministack and other engines keep a separate store for each.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.commands import Command
from core.errors import MissingTableError

if TYPE_CHECKING:
    from core.dynamodb.table import Table
    from core.targets import AwsTarget
    from core.targets.target import AwsKeys

_KEYS = ("local", "dummy", "test", "fakeMyKeyId")
"""Access keys that people and tutorials use for local engines; the first is our placeholder."""

_REGIONS = ("local", "localhost", "ddblocal")
"""Names that are not regions of AWS, but that people use for local engines."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The other place of a table: ``where``, and what to ``change`` to reach it."""

    where: str
    change: str


def find_elsewhere(table: Table) -> Elsewhere | None:
    """Where else the table is, on a local endpoint; None if it was not found or this is AWS.

    Asks for its description for each region and a few access keys: 40 short requests.
    """
    target = table.target
    if not (target.is_local or target.placeholder_credentials) or target.endpoint_url is None:
        return None
    from core.aws.table_probe import TableProbe

    with TableProbe(target) as probe:
        if probe.has_table(table.name, target.region or ""):
            return None
        places = _candidates(target)
        return next((e for e, place in places if probe.has_table(table.name, *place)), None)


def relocated(table: Table) -> MissingTableError | None:
    """The error for a table that is missing here and was found elsewhere; None otherwise."""
    if (elsewhere := find_elsewhere(table)) is None:
        return None
    region = f" in {table.target.region}" if table.target.region else ""
    return MissingTableError(
        f"There is no table {table.name}{region}, but there is one {elsewhere.where}",
        f"{elsewhere.change}, or create another one",
        Command("ddb.schema-load"),
    )


def missing_table(table: Table) -> MissingTableError:
    """The error for a table that does not exist here: it names another place that has it."""
    return relocated(table) or MissingTableError(
        f"There is no table {table.name}", "Create it", Command("ddb.schema-load")
    )


def _candidates(target: AwsTarget) -> Iterator[tuple[Elsewhere, tuple[str, AwsKeys | None]]]:
    """Other places: a region, and an access key if it is not the target's."""
    from core.aws.clients import list_regions

    own_key = target.keys[0] if target.keys else _KEYS[0]
    for region in (*_REGIONS, *list_regions("dynamodb")):
        if region != target.region:
            yield Elsewhere(f"in {region}", f"Set AWS_DEFAULT_REGION={region}"), (region, None)
    for key in _KEYS:
        if key == own_key:
            continue
        change = f"Set AWS_ACCESS_KEY_ID={key} and AWS_SECRET_ACCESS_KEY={key}"
        if key == _KEYS[0]:
            change = "Unset AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        where = f"for the access key {key} (AWS_ACCESS_KEY_ID)"
        yield Elsewhere(where, change), (target.region or "", (key, key, None))
