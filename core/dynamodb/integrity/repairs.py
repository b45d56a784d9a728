"""Repairs the faults of a verification: each repair is conditional and idempotent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from core.dynamodb import keys
from core.dynamodb.integrity.erased import erase_again
from core.dynamodb.integrity.faults import Fault, FaultKind
from core.dynamodb.integrity.verification import Verification, is_left_over, read_conversation
from core.dynamodb.items import removal_from
from core.dynamodb.patterns.erasure_reads import find_erasure
from core.dynamodb.patterns.holds import find_hold
from core.dynamodb.patterns.reads import (
    inbox_row_at,
    list_rows_of,
    message_at,
    messages_of,
    newest_message,
    senders_of,
)
from core.dynamodb.patterns.removal_reads import has_removals
from core.dynamodb.patterns.removals import remove_message
from core.dynamodb.patterns.row_moves import list_again
from core.dynamodb.patterns.transactions import as_read, check_stored, commit
from core.dynamodb.stream.projection import FindPeople, move, person_in
from core.dynamodb.table import GoOn, Table, always, request_if
from core.errors import DynamoDBError, HeldError
from core.models import (
    REMOVED_TEXT,
    InboxRow,
    Message,
    Person,
    RemovalReason,
    pair_with,
    pairs_of,
)

_REMOVED = RemovalReason.REMOVED


def repair(
    verification: Verification,
    *,
    go_on: GoOn = always,
    on_repaired: Callable[[Fault], None] = lambda _: None,
) -> int:
    """The number of faults repaired, in one new pass over the table.

    A repair that DynamoDB refuses as invalid is skipped. It may be interrupted and run again:
    repaired faults are not found again.
    """
    repaired = 0
    for finding in verification.findings(go_on):
        try:
            is_repaired = repair_fault(verification.table, verification.find_people, finding)
        except DynamoDBError as error:
            if error.code != "ValidationException":
                raise
            continue
        if is_repaired:
            repaired += 1
            on_repaired(finding)
    return repaired


def repair_fault(table: Table, find_people: FindPeople, finding: Fault) -> bool:
    """True if the fault was repaired; False where that is impossible or the item has changed.

    Raises:
        StoreError: the store did not answer; run the repair again.
    """
    group = finding.message_group_uuid
    match finding.kind:
        case FaultKind.MISSING_ROW if (pair := keys.pair_of(finding.pk)) is not None:
            return _list_again(table, find_people, group, pair)
        case FaultKind.MISSING_ROW | FaultKind.DUPLICATE_ROW | FaultKind.STALE_PREVIEW:
            newest = _newest_message(table, finding)
            return newest is not None and move(table, newest, find_people=find_people)
        case FaultKind.LEFTOVER_PAIR:
            return _remove_left_over(table, find_people, finding)
        case FaultKind.PREVIEW_AHEAD | FaultKind.REMOVED_SHOWN:
            return _show_newest(table, finding)
        case FaultKind.ORPHAN_MESSAGES:
            senders = [person.uuid for person in senders_of(table, group, most=3)]
            return _list_again(table, find_people, group, senders)
        case FaultKind.NAME_DIFFERS:
            return _rename(table, find_people, finding)
        case FaultKind.INDEXED_MESSAGE:
            return _update(
                table, finding, "REMOVE message_group_uuid", "attribute_exists(message_group_uuid)"
            )
        case FaultKind.ORPHAN_PAIR:
            return _delete(table, keys.key(finding.pk, finding.sk), "group_uuid = :value", group)
        case _:
            return _remove(table, finding)


def _newest_message(table: Table, finding: Fault) -> Message | None:
    """The newest message of the pair in whose rows the fault is."""
    group = finding.message_group_uuid
    pair = pair_with(list_rows_of(table, group), finding.owner_uuid or "")
    return newest_message(table, group, senders=pair or (), consistent=True)


def _remove_left_over(table: Table, find_people: FindPeople, finding: Fault) -> bool:
    """Delete a row of two people who are not in Postgres, after removing their messages.

    Only under an id that others use, both of whom are in Postgres: their thread shows the messages.
    Nothing is removed while there is a hold on one of the two.
    """
    group = finding.message_group_uuid
    row = inbox_row_at(table, finding.owner_uuid or "", finding.sk)
    if row is None or row.message_group_uuid != group:
        return False
    pairs = pairs_of([row, *list_rows_of(table, group)])
    pair = next(iter(pairs_of([row])))
    known = find_people([uuid for other in pairs for uuid in other])
    if not is_left_over(pair, pairs, known.__contains__):
        return False
    if any(find_hold(table, uuid) for uuid in pair):
        return False
    try:
        for message in messages_of(table, group, pair):
            remove_message(table, message)
    except HeldError:
        return False
    return _delete(table, keys.key(finding.pk, finding.sk), "message_group_uuid = :value", group)


def _delete(table: Table, key: keys.Key, condition: str, value: str) -> bool:
    return request_if(
        table,
        "delete_item",
        Key=key,
        ConditionExpression=condition,
        ExpressionAttributeValues={":value": {"S": value}},
    )


def _show_newest(table: Table, finding: Fault) -> bool:
    """Set a row's preview to the newest message's text; the row's time, which is later, stays.

    In one transaction with a look at the message, which may be removed at any moment. Where every
    message was removed, the row says so. The row is read first, and must stay as it is: a member
    may be erased at any moment.
    """
    group = finding.message_group_uuid
    row = inbox_row_at(table, finding.owner_uuid or "", finding.sk)
    if row is None or row.message_group_uuid != group:
        return False
    members = (row.owner_uuid, row.other.uuid)
    newest = newest_message(table, group, senders=members, consistent=True)
    if newest is None and has_removals(table, group):
        return _set_preview(table, row, REMOVED_TEXT)
    if newest is None or newest.sort_key > finding.sk:
        return False
    return _set_preview(table, row, newest.text, shown=newest)


def _set_preview(table: Table, row: InboxRow, text: str, shown: Message | None = None) -> bool:
    condition, values = as_read(row).values()
    update = {
        "TableName": table.name,
        "Key": keys.key(keys.inbox_pk(row.owner_uuid), row.sort_key),
        "UpdateExpression": "SET message = :text",
        "ConditionExpression": condition,
        "ExpressionAttributeValues": values | {":text": {"S": text}},
    }
    outcome = commit(table, [{"Update": update}, *([check_stored(table, shown)] if shown else [])])
    if not outcome.committed and not outcome.failed and outcome.error:
        raise outcome.error
    return outcome.committed


def _remove(table: Table, finding: Fault) -> bool:
    """Remove what a removal or an erasure says is gone."""
    if finding.kind is FaultKind.ERASED_USER:
        return erase_again(table, finding)
    return finding.kind is FaultKind.REMOVAL_WITHOUT_EFFECT and _remove_again(table, finding)


def _remove_again(table: Table, finding: Fault) -> bool:
    """Remove a message whose removal is there already."""
    item = table.request("get_item", Key=keys.key(finding.pk, finding.sk), ConsistentRead=True)
    if "Item" not in item:
        return False
    removal = removal_from(item["Item"])
    stored = message_at(table, removal.message_group_uuid, removal.sort_key)
    if stored is None or stored.message_uuid != removal.message_uuid:
        return False
    reasons = {reason.value: reason for reason in RemovalReason}
    try:
        return remove_message(table, stored, reasons.get(removal.reason_code, _REMOVED))
    except HeldError:
        return False


def _list_again(table: Table, find_people: FindPeople, group: str, members: Sequence[str]) -> bool:
    """Put a conversation without rows back into both inboxes, if its two members are known.

    If it has lost a member, the one who remains is known from the erasure.
    """
    if (erasure := find_erasure(table, group)) is not None:
        remaining = erasure.remaining_user_uuid
        last = newest_message(table, group, senders=[remaining], consistent=True)
        return last is not None and list_again(table, last, remaining, erasure.replacement)
    newest = newest_message(table, group, senders=members, consistent=True)
    if len(members) != 2 or newest is None:
        return False
    if read_conversation(table, group, members).rows:
        return move(table, newest, find_people=find_people)
    known = find_people(members)
    one, other = (known.get(uuid) or person_in(table, group, uuid) for uuid in members)
    done = [
        list_again(table, newest, owner.uuid, shown)
        for owner, shown in ((one, other), (other, one))
    ]
    return all(done)


def _rename(table: Table, find_people: FindPeople, finding: Fault) -> bool:
    """Set the other person's name in a row to the one in Postgres."""
    row = table.request("get_item", Key=keys.key(finding.pk, finding.sk), ConsistentRead=True)
    user_uuid = row.get("Item", {}).get("user_uuid", {}).get("S", "")
    person: Person | None = find_people([user_uuid]).get(user_uuid)
    if person is None:
        return False
    return _update(
        table,
        finding,
        "SET user_handle = :handle, user_display_name = :name",
        "user_uuid = :uuid",
        {":handle": person.handle, ":name": person.display_name, ":uuid": person.uuid},
    )


def _update(
    table: Table,
    finding: Fault,
    update: str,
    condition: str,
    values: dict[str, str] | None = None,
) -> bool:
    params: dict[str, Any] = {}
    if values:
        params["ExpressionAttributeValues"] = {name: {"S": v} for name, v in values.items()}
    return request_if(
        table,
        "update_item",
        Key=keys.key(finding.pk, finding.sk),
        UpdateExpression=update,
        ConditionExpression=condition,
        **params,
    )
