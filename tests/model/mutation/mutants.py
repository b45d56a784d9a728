"""The planted faults: for each, the original text, its file, and the replacement."""

from __future__ import annotations

from dataclasses import dataclass

from . import more_mutants


@dataclass(frozen=True, slots=True)
class Mutant:
    """One planted fault. ``equivalent`` says in a sentence why nothing can notice it."""

    module: str
    fault: str
    old: str
    new: str
    equivalent: str = ""


def _sends() -> list[tuple[str, ...]]:
    return [
        (
            "the key is chosen again while a try is unconfirmed",
            "            if not self.unknown:  # our",
            "            if True:  # our",
        ),
        (
            "the key stays where it was when others came meanwhile",
            "            if not self.unknown:  # our",
            "            if False:  # our",
        ),
        (
            "rows are not read again after a conflict",
            "            self._read_rows_again()\n            if not self.unknown",
            "            if not self.unknown",
        ),
        (
            "a row that the index lacks is not looked for",
            "if len({row.owner_uuid for row in self.rows}) < len(self.members):",
            "if False:",
        ),
        (
            "only the newest of several rows is read again",
            "if key != newest.sort_key and len(seen) > 1)",
            "if False)",
        ),
        (
            "our own message in the way is taken for another's",
            "in_the_way.message_uuid == self.draft.message_uuid",
            "in_the_way.message_uuid != self.draft.message_uuid",
        ),
        (
            "a try without an answer is forgotten",
            "        self.unknown = True\n        try:",
            "        try:",
        ),
        (
            "a retry does not look whether it is stored",
            "return self._stored() or self._run()",
            "return self._run()",
        ),
        (
            "a stored message is not reported as sent",
            "        stored = find_message(self.table, self.group, self.draft.message_uuid,"
            " since=self.key)",
            "        stored = None",
        ),
        (
            "a message is looked for behind its key only",
            "since=self.key)",
            'since=self.key + "~")',
            "The put at the key itself meets the message, and answers with it.",
        ),
        (
            "a retry does not look for a removal",
            "        if stored is None:\n            self._refuse_removed()\n",
            "",
            "The try checks for the removal at its key, and looks for one if any condition fails.",
        ),
        (
            "a retry may store what was removed meanwhile",
            "if self.unknown else []",
            "if False else []",
        ),
        (
            "a retry whose key another has does not look for a removal",
            "            self._refuse_removed()\n        if any(position",
            "            pass\n        if any(position",
        ),
        (
            "each message counts as the newest",
            '        if (self._last() or "") < self.key:\n            return True',
            "        return True",
        ),
        (
            "no message counts as the newest where a row is later",
            "return newest is None or newest.sort_key < self.key",
            "return False",
        ),
        (
            "a row at the key itself counts as earlier",
            '(self._last() or "") < self.key',
            '(self._last() or "") <= self.key',
            "Only a retry can have the key of a row. A later message without a row of its own moves"
            " the rows behind it when it is projected, as where the row is earlier.",
        ),
        (
            "the newest message may be one that lags",
            "senders=senders, consistent=True)\n        return newest is None",
            "senders=senders)\n        return newest is None",
        ),
        (
            "a message at the key itself does not count as newer",
            "newest.sort_key < self.key",
            "newest.sort_key <= self.key",
            "A message at this very key makes the put fail, whatever is asked for beside it.",
        ),
        (
            "the key does not move on where another message has it",
            "if 0 in outcome.failed:  # another",
            "if False:  # another",
        ),
        (
            "the key moves on without a look at the rows",
            "self.key = max(sort_key_after(self.key, now()), sort_key_after(self._last(), now()))",
            "self.key = sort_key_after(self.key, now())",
            "The rows are read again before the next try, which then moves the key behind them; "
            "while a try is unconfirmed, the key after the taken one is as good.",
        ),
        (
            "an unconfirmed send is reported as refused",
            "            if self.unknown:\n                raise unconfirmed(self.draft, self.key)",
            "            if False:\n                raise unconfirmed(self.draft, self.key)",
        ),
        (
            "the error names a key that was not tried",
            "                raise unconfirmed(self.draft, self.key)",
            "                raise unconfirmed(self.draft, sort_key_after(self.key, now()))",
        ),
        (
            "a read that fails hides an unconfirmed try",
            "            if not self.unknown:\n                raise\n",
            "            raise\n",
            "The send then ends unconfirmed one try earlier, which is also true.",
        ),
        (
            "a start that was stored is sent once more",
            "    if unknown or group == own_group:",
            "    if False:",
        ),
        (
            "a start that was stored, of which nothing is known, is sent once more",
            "    if unknown or group == own_group:",
            "    if unknown:",
            "The group of this start is there only after a try of it without an answer, and then "
            "it is unconfirmed already.",
        ),
        (
            "an earlier doubt of a start is forgotten",
            "unknown = unknown or outcome.unknown",
            "unknown = outcome.unknown",
        ),
        (
            "an unconfirmed start is reported as refused",
            "            if unknown:\n                raise unconfirmed(draft, message.sort_key)",
            "            if False:\n                raise unconfirmed(draft, message.sort_key)",
        ),
        (
            "a start stores no pair",
            "            put_pair(table, *pair, own_group),\n",
            "",
        ),
        (
            "a start does not move on from an instant that is taken",
            "            nudge(nudges, moves, [n - 2 for",
            "            nudge({}, moves, [n - 2 for",
        ),
        (
            "a start looks at no inbox",
            "if (group := conversation_of(table, one, other)) is None:",
            "if True:",
        ),
        (
            "the pair of an existing conversation is not stored",
            "    put = put_pair(table, one, other, group)\n",
            "    return group\n",
        ),
        (
            "what others remembered first does not count",
            "            return stored\n        # Without a pair",
            "            return group\n        # Without a pair",
        ),
        (
            "a conversation is used whose pair could not be stored",
            " begin a second one.\n        if outcome.final or not backoff.pause():\n",
            " begin a second one.\n        if group:\n            return group\n        if True:\n",
        ),
        (
            "a send that put a row where there was none looks no further",
            "                self._settle(message)\n",
            "",
        ),
        (
            "a start does not ask whether the pair is known",
            "    if (group := pair_group(table, one, other)) is not None:\n        return group\n",
            "",
        ),
    ]


def _removals() -> list[tuple[str, ...]]:
    return [
        (
            "a message is removed without a removal",
            "actions = [self._delete(), self._put(), *(action",
            "actions = [self._delete(), *(action",
        ),
        (
            "whatever message has the key by now is removed",
            "condition, values = this_message(self.message)\n        delete",
            'condition, values = "attribute_exists(pk)", {}\n        delete',
        ),
        (
            "the newest that remains may be gone by now",
            "if self.newest is not None and self.moved:",
            "if False:",
        ),
        (
            "a row that does not show the message may come to show it",
            "moves += [(owner, self._unchanged(row)) for row in rows]",
            "pass",
        ),
        (
            "the stream may put a row beside the one that was read",
            "moves += [(owner, check) for check in self._beside(owner, rows)]",
            "pass",
        ),
        (
            "a row that was put back can be taken for the one before",
            "            after_removal=marker,\n",
            "",
        ),
        (
            "rows are not read again after a conflict",
            "            self._read_rows_again()\n\n    def _try",
            "\n    def _try",
        ),
        (
            "what others put meanwhile is not looked for",
            "            if outcome.committed:\n                self._settle()\n",
            "            if outcome.committed:\n",
        ),
    ]


def _puts() -> list[tuple[str, ...]]:
    return [
        (
            "an import puts back what was removed",
            "[*check_not_removed(self.table, message), remains]",
            "[remains]",
        ),
        (
            "an import puts back a row that shows what was removed",
            "[check_stored(self.table, shown), member]",
            "[member]",
        ),
        (
            "an import puts a row of which no message is there",
            "            return REMOVED\n        return self._put_alone(item)",
            "            return self._put_alone(item)\n        return self._put_alone(item)",
        ),
    ]


def _reads() -> list[tuple[str, ...]]:
    return [
        (
            "a start looks at one inbox only",
            " or newest_row_with(table, other, user_uuid)\n    return row.",
            "\n    return row.",
        ),
    ]


def _bulk_load() -> list[tuple[str, ...]]:
    return [
        (
            "a load that put a row where there was none looks no further",
            "        if not self.pair:\n",
            "        if False:\n",
        ),
        (
            "a load into a conversation that no inbox lists goes on without a row",
            "        rows = _rows_to_move(table, group, members) if group else []\n",
            "        rows = _rows(table, group, members) if group else []\n",
        ),
        (
            "what others stored between two chunks is not looked for",
            "if missing is None or _places(rows) != left:",
            "if missing is None:",
        ),
        (
            "a load looks for its messages once",
            "        missing = None\n        if not backoff.pause():",
            "        if not backoff.pause():",
        ),
        (
            "a load tries a key again that another message has",
            "        self.obstacles.taken |= ",
            "        _ = ",
        ),
        (
            "rows are read behind the messages",
            "        chunk = _Chunk(table, group,",
            "        rows = _rows(table, group, members) if group else []\n"
            "        chunk = _Chunk(table, group,",
        ),
    ]


def _transactions() -> list[tuple[str, ...]]:
    return [
        (
            "a message is put over another",
            'return put_item(table, message_item(message), "attribute_not_exists(pk)")',
            'return put_item(table, message_item(message), "attribute_not_exists(nothing)")',
        ),
        (
            "a row is put over another conversation's",
            '"attribute_not_exists(pk) OR message_group_uuid = :group",\n        {":group"',
            '"attribute_not_exists(nothing)",\n        {":group"',
        ),
        (
            "a row is put only where there is none",
            '"attribute_not_exists(pk) OR message_group_uuid = :group",\n        {":group"',
            '"attribute_not_exists(pk)",\n        {":group"',
            "A row of the conversation at that very key is found when the rows are read again, "
            "deleted, and followed a microsecond later.",
        ),
        (
            "a row is deleted wherever it is",
            "            **as_read(row),\n        }\n    }\n\n\ndef mark_row",
            "        }\n    }\n\n\ndef mark_row",
        ),
        (
            "a pair is put over another",
            'return put_item(table, item, "attribute_not_exists(pk)")',
            'return put_item(table, item, "attribute_not_exists(nothing)")',
        ),
        ("a row at the message's key moves", "last >= key", "last > key"),
        (
            "a row that stays may be another by the commit",
            '    put["Put"] |= as_read(row)\n    return put',
            "    return put",
        ),
        (
            "a row that is later moves back",
            "            if not newest:\n                moves += [",
            "            if False:\n                moves += [",
        ),
        (
            "a row that is later does not move on",
            "            key = sort_key_after(last, message.created_at or now())\n",
            "",
        ),
        (
            "one row of several is deleted",
            "deletes = [delete_inbox_row(table, row) for row in owner_rows[:_MOST_DELETED]]",
            "deletes = [delete_inbox_row(table, row) for row in owner_rows[:1]]",
        ),
        (
            "no row is deleted",
            "deletes = [delete_inbox_row(table, row) for row in owner_rows[:_MOST_DELETED]]",
            "deletes = [delete_inbox_row(table, row) for row in owner_rows[:0]]",
        ),
        (
            "an instant that is taken is tried again",
            "key = nudged(key, nudges.get(owner.uuid, 0))",
            "key = nudged(key, 0)",
        ),
        (
            "a taken instant moves on by nothing",
            "if owner in nudges else 1",
            "if owner in nudges else 0",
            "The next try moves it, by up to a millisecond.",
        ),
        (
            "a conflict counts as a condition",
            "if reason == _CONDITION_FAILED)",
            'if reason != "None")',
        ),
        (
            "no answer counts as no commit",
            "        return True  # no answer",
            "        return False  # no answer",
        ),
        (
            "the SDK's earlier tries are forgotten",
            '.get("RetryAttempts", 0))',
            '.get("Nothing", 0))',
        ),
        (
            "a conflict at the SDK's second try counts as no commit",
            "unknown = not failed and _tries_before(error) > 0",
            "unknown = False",
        ),
        (
            "a throttled request may have been stored",
            "return error.is_transient and code not in _NOT_PROCESSED",
            "return error.is_transient",
        ),
        (
            "an internal error counts as no commit",
            "return error.is_transient and code not in _NOT_PROCESSED",
            "return False",
        ),
        ("a throttled send gives up", "final=not error.is_transient", "final=True"),
        ("a send gives up at a conflict", '    "TransactionConflict",\n}', "}"),
        (
            "a condition that failed does not say what is there",
            '        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",\n',
            "",
        ),
        (
            "rows are put ahead of the deletes",
            "for action in (*deletes, put_inbox_row(table, row))]",
            "for action in (put_inbox_row(table, row), *deletes)]",
            "The order of a transaction's actions means nothing.",
        ),
        (
            "a member's own name is shown to them",
            "message.message_group_uuid, owner.uuid, other, message.text",
            "message.message_group_uuid, owner.uuid, owner, message.text",
        ),
    ]


def _projection() -> list[tuple[str, ...]]:
    return [
        (
            "the oldest message of a batch counts",
            "max(seen.message, message,",
            "min(seen.message, message,",
        ),
        ("a change of a message counts", '!= "INSERT"', '== "REMOVE"'),
        (
            "a batch begins at its last message",
            "min(seen.since, message.sort_key)",
            "message.sort_key",
        ),
        (
            "a malformed record stops its batch",
            "            dropped.append((sequence_number, str(error)))\n            continue",
            "            raise",
        ),
        (
            "a failure is reported behind its first record",
            "seen.sequence_number,\n",
            "sequence_number,\n",
        ),
        (
            "a stranger's message is shown",
            "    pair = pair_with(rows, sender.uuid)\n",
            "    pair = pair_with(rows, sender.uuid) or next(iter(pairs), None)\n",
        ),
        (
            "a stranger's message hides the members'",
            "senders=pair, consistent=True) if pair else None\n        if pair",
            "senders=pair, consistent=True) if () else None\n        if pair",
        ),
        (
            "what the index lacks is not there",
            "    if not rows and (row := inbox_row(table, sender.uuid, group)) is not None:\n",
            "    if False:\n",
        ),
        (
            "the batch's oldest message does not count",
            "since or message.sort_key, message",
            "message.sort_key, message",
        ),
        (
            "rows are taken from the index alone",
            "inbox_rows(table, owner, group, since=since) + older or",
            "older or",
        ),
        (
            "older rows are left out",
            "inbox_rows(table, owner, group, since=since) + older or",
            "inbox_rows(table, owner, group, since=since) or",
        ),
        (
            "a member without a row in the index has none",
            " + older or inbox_rows(table, owner, group)",
            " + older",
        ),
    ]


def _row_moves() -> list[tuple[str, ...]]:
    return [
        (
            "an erasure is not looked for",
            "return erasure.remaining_user_uuid == self.owner",
            "return True",
        ),
        (
            "the old row is deleted before the new one is put",
            "            try:\n                kept, replaced",
            "            for row in rows:\n"
            "                commit(self.table, [delete_inbox_row(self.table, row)])\n"
            "            try:\n                kept, replaced",
        ),
        (
            "old rows are left",
            "for row in rows if row.sort_key != kept.sort_key and row is not replaced]",
            "for row in rows[:0]]",
        ),
        (
            "a message that is gone is shown",
            "    if 1 in outcome.failed:\n        raise _RemovedError\n",
            "",
        ),
        (
            "a look at the message is left out",
            "outcome = _tried(table, [put, check_stored(table, message), move])",
            "outcome = _tried(table, [put, move, move][:2])",
        ),
        (
            "the new row is deleted with the old ones",
            "for row in rows if row.sort_key != kept.sort_key and row is not replaced]",
            "for row in [*rows, kept] if row is not replaced]",
        ),
        (
            "a row at the message's time is put once more",
            "row.sort_key < newest.sort_key or row",
            "row.sort_key <= newest.sort_key or row",
        ),
        (
            "a row with another text is left",
            " or row.preview != newest.text:\n",
            ":\n",
        ),
        (
            "a row that came meanwhile counts as ours",
            "                if kept is not None and kept.preview != newest.text:\n",
            "                if False:\n",
        ),
        (
            "a row that has moved on is not looked for again",
            "return all(deleted) and bool(rows or self.table.dry)",
            "return True",
        ),
        (
            "where there was no row, nobody else's is looked for",
            "return all(deleted) and bool(rows or self.table.dry)",
            "return all(deleted)",
        ),
        (
            "one member alone is looked at again",
            "for owner, other in (members, members[::-1]):",
            "for owner, other in (members,):",
        ),
        (
            "the record's message is shown, whatever is newer",
            "    senders = (owner, other.uuid)\n    return newest_message(",
            "    return message\n    return newest_message(",
        ),
        (
            "a row of the message's own time counts as older",
            "row.sort_key < message.sort_key or row",
            "row.sort_key <= message.sort_key or row",
        ),
        (
            "the newest message may be one that lags",
            "return newest_message(table, message.message_group_uuid, senders=senders,"
            " consistent=True)",
            "return newest_message(table, message.message_group_uuid, senders=senders)",
        ),
        (
            "the newest message may be a stranger's",
            "return newest_message(table, message.message_group_uuid, senders=senders,"
            " consistent=True)",
            "return newest_message(table, message.message_group_uuid, consistent=True)",
        ),
        (
            "a time that nothing follows is a place",
            "for row in rows if next_sort_key(row.sort_key) is not None)",
            "for row in rows)",
        ),
        (
            "the row keeps its message's time beside a later row",
            "    if last is not None and last.sort_key >= message.sort_key:",
            "    if False:",
        ),
        (
            "a row at the very time is written over",
            "last.sort_key >= message.sort_key:\n        sort_key =",
            "last.sort_key > message.sort_key:\n        sort_key =",
        ),
        (
            "an instant that another conversation has is the end",
            "        sort_key = following  # another",
            "        sort_key = None  # another",
        ),
        (
            "a row is put over whatever is there",
            '"attribute_not_exists(pk) OR message_group_uuid = :group AND message = :text"',
            '"attribute_not_exists(nothing)"',
        ),
        (
            "a row is put over one with another message",
            "message_group_uuid = :group AND message = :text",
            "message_group_uuid = :group",
        ),
        (
            "a row is deleted whatever became of the kept one",
            "[delete_inbox_row(table, row), look]",
            "[delete_inbox_row(table, row)]",
        ),
        (
            "a kept row that has moved counts as kept",
            "    if 1 in outcome.failed:\n        raise _ChangedError\n",
            "    if 1 in outcome.failed:\n        return True\n",
        ),
    ]


def _handler() -> list[tuple[str, ...]]:
    return [
        (
            "a failure is not reported",
            '            failures.append({"itemIdentifier": planned_move.sequence_number})\n',
            "",
        ),
        (
            "a move is made without the batch's oldest message",
            "move(table, planned_move.message, since=planned_move.since)",
            "move(table, planned_move.message)",
        ),
    ]


def _repairs() -> list[tuple[str, ...]]:
    return [
        (
            "a row that is ahead shows what is newer than it",
            "    if newest is None or newest.sort_key > finding.sk:\n        return False",
            "    if newest is None:\n        return False",
        ),
        (
            "a preview is put into whatever row is there",
            '"ConditionExpression": condition,\n',
            '"ConditionExpression": "attribute_not_exists(nothing)",\n',
        ),
        (
            "the newest message may be one that lags",
            "return newest_message(table, group, senders=pair or (), consistent=True)\n",
            "return newest_message(table, group, senders=pair or ())\n",
        ),
        (
            "the newest message may be a stranger's",
            "return newest_message(table, group, senders=pair or (), consistent=True)\n",
            "return newest_message(table, group, consistent=True)\n",
        ),
        (
            "a preview may be of a message that is gone",
            "*([check_stored(table, shown)] if shown else [])",
            "*([] if shown else [])",
        ),
        (
            "two rows are left",
            "case FaultKind.MISSING_ROW | FaultKind.DUPLICATE_ROW |",
            "case FaultKind.MISSING_ROW |",
        ),
        (
            "a stale preview is left",
            "| FaultKind.DUPLICATE_ROW | FaultKind.STALE_PREVIEW:",
            "| FaultKind.DUPLICATE_ROW:",
        ),
        (
            "a lost conversation is listed beside rows that are there",
            "    if read_conversation(table, group, members).rows:\n"
            "        return move(table, newest, find_people=find_people)\n",
            "",
        ),
        (
            "a conversation of which one member is known is listed",
            "    if len(members) != 2 or newest is None:",
            "    if newest is None:",
        ),
        (
            "a pair that points elsewhere by now is deleted",
            '"group_uuid = :value", group)',
            '"attribute_exists(pk) OR group_uuid = :value", group)',
        ),
        (
            "the name of the member that is there now is changed",
            '        "user_uuid = :uuid",\n',
            '        "attribute_exists(pk)",\n',
        ),
        (
            "one member alone gets the lost conversation back",
            "for owner, shown in ((one, other), (other, one))",
            "for owner, shown in ((one, other),)",
        ),
        (
            "the row of a lost conversation shows its owner",
            "for owner, shown in ((one, other), (other, one))",
            "for owner, shown in ((one, one), (other, other))",
        ),
    ]


def _stream() -> list[tuple[str, ...]]:
    return [
        ("a child is read before its parent", "if not waits and not", "if not"),
        (
            "what was dealt with is not noted",
            "        self.checkpoint.store(batch.shard_id, str(last))\n",
            "        pass\n",
        ),
        ("the last record is read again", '"AFTER_SEQUENCE_NUMBER"', '"AT_SEQUENCE_NUMBER"'),
        (
            "a new shard is read from its end",
            'start = {"ShardIteratorType": "TRIM_HORIZON"}',
            'start = {"ShardIteratorType": "LATEST"}',
        ),
        (
            "a failed batch is not delivered again",
            "        self._iterators.pop(batch.shard_id, None)\n",
            "        pass\n",
        ),
        (
            "a shard is closed before its last batch is dealt with",
            'if following is None and (not reply["Records"] or self._dealt_with(shard_id, reply)):',
            "if following is None:",
        ),
        (
            "shards that are gone are kept in mind",
            "        self.checkpoint.forget_all_but(set(shards))\n",
            "",
        ),
        (
            "iterators of the stream before are used",
            "        self._iterators.clear()\n",
            "",
        ),
        (
            "the place in another stream counts",
            'if stored["stream"] == stream_arn:',
            "if True:",
        ),
        (
            "what was trimmed stops the reader",
            "            if place is None or error.response",
            "            if True or error.response",
        ),
        (
            "only the first page of shards is known",
            'if not (last := description.get("LastEvaluatedShardId")):',
            'if not (last := description.get("Nothing")):',
        ),
        (
            "an iterator that has run out stops the reader",
            'if error.response["Error"]["Code"] not in _NO_LONGER:',
            "if True:",
        ),
        (
            "a stream that followed another is not seen",
            "            if newest != self.arn:\n",
            "            if False:\n",
        ),
    ]


def _made(module: str, faults: list[tuple[str, ...]]) -> list[Mutant]:
    return [Mutant(module, *fault) for fault in faults]


MUTANTS: list[Mutant] = [
    *_made("sends", _sends() + more_mutants.SENDS),
    *_made("reads", _reads() + more_mutants.READS),
    *_made("paging", more_mutants.PAGING),
    *_made("bulk_load", _bulk_load() + more_mutants.BULK_LOAD),
    *_made("transactions", _transactions() + more_mutants.TRANSACTIONS),
    *_made("removals", _removals() + more_mutants.REMOVALS),
    *_made("removal_reads", more_mutants.REMOVAL_READS),
    *_made("puts", _puts() + more_mutants.PUTS),
    *_made("projection", _projection() + more_mutants.PROJECTION),
    *_made("row_moves", _row_moves() + more_mutants.ROW_MOVES),
    *_made("handler", _handler() + more_mutants.HANDLER),
    *_made("repairs", _repairs() + more_mutants.REPAIRS),
    *_made("shards", _stream() + more_mutants.SHARDS),
]
