"""Further planted faults: checks of removals and erasures, reads, limits, retries, the stream."""

from __future__ import annotations

SENDS: list[tuple[str, ...]] = [
    (
        "an erasure is not looked for where a row is missing",
        "        if not names_each_other(self.rows, self.members):\n",
        "        if False:\n",
    ),
    (
        "an erasure of the conversation is not looked for",
        "            erasures.append(check_no_erasure(self.table, self.group))\n",
        "",
    ),
    (
        "the first check of an erasure does not count",
        "position >= count - self.last_checks",
        "position > count - self.last_checks",
    ),
    (
        "a removal is looked for behind the last key only",
        "uuid, since = self.draft.message_uuid, self.first_key",
        "uuid, since = self.draft.message_uuid, self.key",
    ),
    (
        "another conversation's row counts as the member's",
        "if r and r.message_group_uuid == self.group)",
        "if r)",
    ),
    (
        "the key may be before the conversation's last",
        "self.key = self.first_key = sort_key_after(self._last(), now())",
        "self.key = self.first_key = sort_key_after(None, now())",
    ),
    (
        "a retry begins at a new key",
        'self.key = draft.tried_from or ""',
        'self.key = ""',
    ),
    (
        "a retry counts as a first try",
        "self.unknown = draft.tried_from is not None",
        "self.unknown = False",
    ),
    (
        "a retry of a start counts as a first try",
        "    unknown = draft.tried_from is not None\n    while",
        "    unknown = False\n    while",
    ),
    (
        "a retry of a start begins at a new key",
        "draft.tried_from or sort_key(now())",
        "sort_key(now())",
    ),
    (
        "a start does not look for an erasure",
        "commit(table, [*actions, *check_not_erased(table, *pair)])",
        "commit(table, actions)",
    ),
    (
        "a start does not see which user is erased",
        "position >= _START_ACTIONS for",
        "position > _START_ACTIONS for",
    ),
    (
        "a start that is stored is reported as refused",
        "    if unknown:\n        group = message.",
        "    if False:\n        group = message.",
    ),
    (
        "a pair is stored for an erased user",
        "[put, *check_not_erased(table, one, other)]",
        "[put]",
    ),
    (
        "the last row's instant does not count as taken",
        "if 0 < n <= len(moves)]",
        "if 0 < n < len(moves)]",
    ),
    (
        "the first row's instant of a start does not count as taken",
        "if 2 <= n < len(actions)]",
        "if 2 < n < len(actions)]",
    ),
    (
        "a settling that fails reports a stored message as refused",
        "        with contextlib.suppress(StoreError):",
        "        with contextlib.suppress(KeyError):",
    ),
    (
        "a send is tried again after an error that no try can help",
        "            if outcome.final or not backoff.pause():\n"
        '                raise outcome.error or StoreError("Could not store',
        "            if not backoff.pause():\n"
        '                raise outcome.error or StoreError("Could not store',
    ),
    (
        "only the sender's rows are read again",
        "for member in self.members for row in self._rows_of",
        "for member in self.members[:1] for row in self._rows_of",
    ),
]

READS: list[tuple[str, ...]] = [
    (
        "a member's rows may be ones that lag",
        "        ScanIndexForward=False,\n        ConsistentRead=True,\n    )\n    return (list",
        "        ScanIndexForward=False,\n    )\n    return (list",
    ),
    (
        "a row at a key may be one that lags",
        "    key = keys.key(keys.inbox_pk(user_uuid), sort_key)\n"
        '    item = table.request("get_item", Key=key, ConsistentRead=True)',
        "    key = keys.key(keys.inbox_pk(user_uuid), sort_key)\n"
        '    item = table.request("get_item", Key=key)',
    ),
    (
        "a message at a key may be one that lags",
        "    key = keys.key(keys.message_pk(message_group_uuid), sort_key)\n"
        '    item = table.request("get_item", Key=key, ConsistentRead=True)',
        "    key = keys.key(keys.message_pk(message_group_uuid), sort_key)\n"
        '    item = table.request("get_item", Key=key)',
    ),
    (
        "a pair may be one that lags",
        "Key=keys.pair_key(one, other), ConsistentRead=True)",
        "Key=keys.pair_key(one, other))",
    ),
    (
        "a message is looked for in what lags",
        "        ConsistentRead=True,\n    )\n    return next(map(message_from, items), None)\n"
        "\n\ndef latest",
        "    )\n    return next(map(message_from, items), None)\n\n\ndef latest",
    ),
    (
        "a message is looked for behind the key alone",
        '="pk = :pk AND sk >= :since",\n        FilterExpression="message_uuid',
        '="pk = :pk AND sk > :since",\n        FilterExpression="message_uuid',
    ),
    (
        "rows at the first key are left out",
        '"pk = :pk AND sk >= :since" if since else "pk = :pk",\n        FilterExpression',
        '"pk = :pk AND sk > :since" if since else "pk = :pk",\n        FilterExpression',
    ),
    (
        "a message without a valid time is the newest",
        "map(message_from, items) if message.created_at)",
        "map(message_from, items))",
    ),
    (
        "the message that is to be removed is the newest",
        "message.sort_key != beside)",
        "True)",
    ),
]

BULK_LOAD: list[tuple[str, ...]] = [
    (
        "a load stores what was removed",
        "return _stored(table, group, wanted) | _removed(table, group, wanted)",
        "return _stored(table, group, wanted)",
    ),
    (
        "a load looks for its messages in what lags",
        "        ConsistentRead=True,\n    )\n    return {\n",
        "    )\n    return {\n",
    ),
    (
        "a load does not look for an erasure",
        "outcome = commit(self.table, actions + checks)",
        "outcome = commit(self.table, actions)",
    ),
    (
        "a load does not see which user is erased",
        "if any(n >= len(actions) for",
        "if any(n > len(actions) for",
    ),
    (
        "a load's transaction has more actions than DynamoDB takes",
        "_CHUNK = MAX_ACTIONS - 10",
        "_CHUNK = MAX_ACTIONS - 4",
    ),
    (
        "two lines have one key",
        "key = sort_key_after(previous, line.created_at)",
        "key = sort_key_after(None, line.created_at)",
    ),
    (
        "a line comes before what is there",
        "key = sort_key_after(previous or last, instant)",
        "key = sort_key_after(previous, instant)",
    ),
    (
        "the last row's instant of a load does not count as taken",
        "if 0 <= n - end < len(moves)]",
        "if 0 <= n - end < len(moves) - 1]",
    ),
]

PAGING: list[tuple[str, ...]] = [
    (
        "only the first page is read",
        "        if not last:\n",
        "        if True:\n",
    ),
    (
        "an empty page is the end",
        'last = response.get("LastEvaluatedKey")',
        'last = response["Items"] and response.get("LastEvaluatedKey")',
    ),
]

REMOVAL_READS: list[tuple[str, ...]] = [
    (
        "a removal is looked for in what lags",
        '**{"ConsistentRead": True, **more}',
        "**more",
    ),
    (
        "a removal at the first key is left out",
        '"pk = :pk AND sk >= :since" if since',
        '"pk = :pk AND sk > :since" if since',
    ),
    (
        "any removal is taken for the message's",
        "if removal.message_uuid == message_uuid), None)",
        "if removal), None)",
    ),
]

TRANSACTIONS: list[tuple[str, ...]] = [
    (
        "a row that a removal has put back is taken for the one before",
        '"message_group_uuid = :group AND attribute_not_exists(after_removal)"\n    values',
        '"message_group_uuid = :group"\n    values',
    ),
    (
        "a row of one removal is taken for that of another",
        '"message_group_uuid = :group AND after_removal = :removed"',
        '"message_group_uuid = :group"',
    ),
    (
        "any message at the key is taken for the one that was read",
        'return "message_uuid = :uuid", {":uuid": {"S": message.message_uuid}}',
        'return "attribute_exists(pk)", {}',
    ),
    (
        "a removal at the second key is not looked for",
        "check_item(table, key, condition, values) for key in places]",
        "check_item(table, key, condition, values) for key in places[:1]]",
    ),
    (
        "another message's removal refuses a retry",
        'condition = "attribute_not_exists(pk) OR message_uuid <> :uuid"',
        'condition = "attribute_not_exists(pk)"',
    ),
    (
        "a message that moves no row leaves no mark",
        "marked = replace(row, after_removal=message.message_uuid)",
        "marked = row",
    ),
    (
        "a throttled transaction gives up",
        '    "ProvisionedThroughputExceeded",\n',
        "",
    ),
    (
        "a request without credentials may be committed",
        "if isinstance(error.__cause__, _NOTHING_WAS_SENT):",
        "if False:",
    ),
    (
        "a taken instant moves back",
        "sort_key(instant + microseconds * MICROSECOND)",
        "sort_key(instant - microseconds * MICROSECOND)",
    ),
    (
        "a transaction has more actions than DynamoDB takes",
        "_MOST_DELETED = 40",
        "_MOST_DELETED = 60",
    ),
    (
        "rows that stay are left out of the transaction",
        "                    for row in owner_rows[:_MOST_DELETED]\n",
        "                    for row in owner_rows[:0]\n",
    ),
]

ROW_MOVES: list[tuple[str, ...]] = [
    (
        "a row that names another person is no reason to look for an erasure",
        "if rows and all(row.other.uuid == self.other.uuid for row in rows):",
        "if rows:",
    ),
    (
        "an erased member is shown",
        "self.other, self.is_gone = erasure.replacement, True",
        "self.is_gone = True",
    ),
    (
        "a row that changed meanwhile counts as moved",
        "    if 2 in outcome.failed:\n        raise _ChangedError\n",
        "    if 2 in outcome.failed:\n        return True\n",
    ),
    (
        "a row keeps the name of an erased member",
        "return row.other.uuid != other.uuid",
        "return False",
    ),
    (
        "a send that put one row of two does not look for another",
        "if all(row.owner_uuid != owner.uuid for row in rows):",
        "if not rows:",
    ),
    (
        "a member who is erased meanwhile gets a row",
        "check_pair(table, group, members)",
        'check_pair(table, "", members)',
    ),
    (
        "a row that was not replaced is left",
        "return kept, last if is_put else None",
        "return kept, last",
    ),
    (
        "a row that a removal has put back is put over",
        '        " AND attribute_not_exists(after_removal)",\n',
        "        ,\n",
    ),
    (
        "another conversation's row is taken for the member's",
        "if in_the_way is not None and in_the_way.message_group_uuid == group:",
        "if in_the_way is not None:",
    ),
    (
        "a conflict ends a move",
        "if not (outcome.is_cancelled and backoff.pause()):",
        "if True:",
    ),
    (
        "an older message is shown for one that is gone",
        "            shown_by = [] if self.is_gone else rows\n",
        "            shown_by = rows\n",
    ),
]

PROJECTION: list[tuple[str, ...]] = [
    (
        "a member whose row was lost has no name",
        "shown[0] if shown else person_in(table, group, recipient_uuid)",
        'shown[0] if shown else Person(recipient_uuid, "", "")',
    ),
    (
        "a row at the batch's oldest message is read twice",
        "row.owner_uuid == owner and row.sort_key < since]",
        "row.owner_uuid == owner and row.sort_key <= since]",
        "The second delete of the row finds it gone, and the rows are read once more.",
    ),
    (
        "a text that is too large for a row blocks its shard",
        " or size_bytes > _MAX_TEXT_BYTES:",
        ":",
    ),
    (
        "an id that cannot be a key's blocks its shard",
        "not all(map(keys.can_be_id, ids)) or",
        "",
    ),
    (
        "the image of another item is projected",
        'or text_of(image, "pk") != pk ',
        "",
    ),
    (
        "a message without a valid time is projected",
        " or message.created_at is None:",
        ":",
    ),
    (
        "the rows of all pairs move to a message of one",
        "    rows = rows_of_pair(rows, pair)\n",
        "",
    ),
    (
        "an older message of the stranger's pair is shown",
        "        message = newest\n",
        "        pass\n",
    ),
    (
        "a row's new names are not used",
        "other = known.get(shown.uuid, shown)",
        "other = shown",
    ),
]

HANDLER: list[tuple[str, ...]] = [
    (
        "a row that can never be put blocks its shard",
        "            if _is_too_large(error):\n",
        "            if False:\n",
    ),
    (
        "each failure is dropped",
        "            if _is_too_large(error):\n",
        "            if True:\n",
    ),
]

REPAIRS: list[tuple[str, ...]] = [
    (
        "another conversation's row is changed",
        "row is None or row.message_group_uuid != group:\n        return False\n    members =",
        "row is None:\n        return False\n    members =",
    ),
    (
        "a row shows a message although each was removed",
        "    if newest is None and has_removals(table, group):\n",
        "    if False:\n",
    ),
    (
        "a later message with the key of a removed one is removed",
        "    if stored is None or stored.message_uuid != removal.message_uuid:\n",
        "    if stored is None:\n",
    ),
    (
        "a held user's messages are removed with a row",
        "    if any(find_hold(table, uuid) for uuid in pair):\n",
        "    if False:\n",
    ),
    (
        "rows of people who are known are removed",
        "    if not is_left_over(pair, pairs, known.__contains__):\n",
        "    if False:\n",
    ),
    (
        "a conversation that has lost a member is listed for both",
        "    if (erasure := find_erasure(table, group)) is not None:\n        remaining",
        "    if (erasure := None) is not None:\n        remaining",
    ),
    (
        "the attribute of an item that is gone is removed",
        '"attribute_exists(message_group_uuid)"',
        '"attribute_not_exists(nothing)"',
    ),
    (
        "the newest message of a row may be a stranger's",
        "senders=members, consistent=True)\n    if newest is None and",
        "consistent=True)\n    if newest is None and",
    ),
    (
        "the newest message of a row may be one that lags",
        "senders=members, consistent=True)\n    if newest is None and",
        "senders=members)\n    if newest is None and",
    ),
]

REMOVALS: list[tuple[str, ...]] = [
    (
        "a hold is not looked for",
        'return check_item(self.table, key, "attribute_not_exists(pk)", {})',
        'return check_item(self.table, key, "attribute_not_exists(nothing)", {})',
    ),
    (
        "a removal has one key alone",
        "        if 1 in outcome.failed:\n            self.place = 1\n",
        "",
    ),
    (
        "a removal is put over another message's",
        'condition = "attribute_not_exists(pk) OR message_uuid = :uuid"',
        'condition = "attribute_not_exists(nothing)"',
    ),
    (
        "another message at the key counts as this one",
        "return stored is None or stored.message_uuid != self.message.message_uuid",
        "return stored is None",
    ),
    (
        "a message that another one replaced counts as removed",
        "return unknown and self._is_removed()",
        "return unknown",
    ),
    (
        "a removal whose reply was lost is not reported",
        "return unknown and self._is_removed()",
        "return False",
    ),
    (
        "what remains may include what is removed",
        "                beside=self.message.sort_key,\n",
        "",
    ),
    (
        "the newest that remains may be one that lags",
        "                consistent=True,\n                beside",
        "                beside",
    ),
    (
        "the newest that remains may be a stranger's",
        "                senders=self.pair,\n                consistent",
        "                consistent",
    ),
    (
        "what came meanwhile is shown though it is gone",
        "actions = [check_stored(self.table, latest)]",
        "actions: list[Action] = []",
    ),
    (
        "a row that stays at its place may be another by the commit",
        '                put["Put"] |= as_read(stored)\n',
        "                pass\n",
    ),
    (
        "a row that does not show it may change its text",
        'f"{condition} AND message = :text", values | shown)',
        "condition, values)",
    ),
    (
        "a row that the index lacks is not looked for",
        "        if len({row.owner_uuid for row in self.rows}) < 2:\n",
        "        if False:\n",
    ),
    (
        "a place behind another conversation's row is not looked at",
        "            place = next_sort_key(place)\n        return actions",
        "            place = None\n        return actions",
    ),
    (
        "a row that came beside the one that was read is left",
        "            if (row if is_own else None) != known.get(place):\n"
        "                raise _ChangedError\n",
        "",
    ),
    (
        "an instant that another conversation has is tried again",
        "place = nudged(self.newest.sort_key, self.nudges.get(last.owner_uuid, 0))",
        "place = nudged(self.newest.sort_key, 0)",
    ),
    (
        "one row of several is moved",
        "            rows = [row for row in self.rows if row.owner_uuid == owner][:_MOST_ROWS]\n",
        "            rows = [row for row in self.rows if row.owner_uuid == owner][:1]\n",
    ),
]

PUTS: list[tuple[str, ...]] = [
    (
        "an import puts back what an erased user wrote",
        "[*check_not_removed(self.table, message), remains]",
        "check_not_removed(self.table, message)",
    ),
    (
        "an import puts back the row of an erased member",
        "[check_stored(self.table, shown), member]",
        "[check_stored(self.table, shown)]",
    ),
    (
        "an import puts an older row beside a later one",
        "            return PRESENT\n        if self._is_new(row",
        "            pass\n        if self._is_new(row",
    ),
    (
        "a row shows the text of a person who is not a member",
        " and message.sender.uuid in pair:",
        ":",
    ),
    (
        "a conversation all of which was removed counts as new",
        "self._has_any(keys.message_pk(group)) or has_removals(self.table, group)",
        "self._has_any(keys.message_pk(group))",
    ),
    (
        "a conversation counts as new while reads lag",
        "            ConsistentRead=True,\n            Limit=1,\n",
        "            Limit=1,\n",
    ),
    (
        "an import puts over what is there",
        'put = put_item(self.table, item, "attribute_not_exists(pk)")',
        'put = put_item(self.table, item, "attribute_not_exists(nothing)")',
    ),
]

SHARDS: list[tuple[str, ...]] = [
    (
        "the end of a shard is not noted",
        "            self.checkpoint.store(shard_id, None)\n",
        "            pass\n",
    ),
    (
        "a place is written over the one before",
        'draft = self._path.with_suffix(".tmp")',
        "draft = self._path",
    ),
    (
        "a stream is left before its end",
        "        if is_quiet and (is_on or all(map(self.checkpoint.is_finished, shards))):\n",
        "        if is_on or all(map(self.checkpoint.is_finished, shards)):\n",
    ),
    (
        "a stream that is off counts as on",
        'return description.get("StreamStatus") != "DISABLED", shards',
        "return True, shards",
    ),
    (
        "the positions of the stream before are kept",
        "        self._stream_arn = stream_arn\n        self._shards = {}\n",
        "        self._stream_arn = stream_arn\n"
        '        self._shards = getattr(self, "_shards", {})\n',
    ),
]
