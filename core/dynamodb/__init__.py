"""The message table: its keys and items, the access patterns, the write path, its integrity.

These are the package's public names; code outside imports none of its modules. Functions take a
:class:`Table`, opened for one purpose; plain models come back. Raw items leave this package only
where storage itself is the subject (:func:`scan`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.lazy import loader

if TYPE_CHECKING:
    from core.dynamodb.description import (
        IndexDescription as IndexDescription,
        TableDescription as TableDescription,
        describe_table as describe_table,
    )
    from core.dynamodb.dynamodb_json import raw_item as raw_item
    from core.dynamodb.elsewhere import relocated as relocated
    from core.dynamodb.integrity.faults import (
        EXPLANATIONS as EXPLANATIONS,
        REPAIRABLE as REPAIRABLE,
        SAMPLES as SAMPLES,
        Fault as Fault,
        FaultKind as FaultKind,
        FaultSummary as FaultSummary,
    )
    from core.dynamodb.integrity.repairs import repair as repair
    from core.dynamodb.integrity.verification import Verification as Verification
    from core.dynamodb.items import plain_item as plain_item
    from core.dynamodb.keys import INDEX as INDEX
    from core.dynamodb.marker import (
        holds_items as holds_items,
        read_state as read_state,
        write_marker as write_marker,
    )
    from core.dynamodb.patterns.all_conversations import (
        conversations_of as conversations_of,
        count_conversations as count_conversations,
        count_messages as count_messages,
        list_all_inbox_rows as list_all_inbox_rows,
    )
    from core.dynamodb.patterns.bulk_load import (
        LoadedTranscript as LoadedTranscript,
        TranscriptMessage as TranscriptMessage,
        load_transcript as load_transcript,
    )
    from core.dynamodb.patterns.erasing import (
        ErasedUser as ErasedUser,
        ErasurePlan as ErasurePlan,
        close_erasure as close_erasure,
        end_erasure as end_erasure,
        erase_user as erase_user,
        find_erased_user as find_erased_user,
        plan_erasure as plan_erasure,
    )
    from core.dynamodb.patterns.erasure_reads import (
        erased_digests as erased_digests,
        find_erasure as find_erasure,
        require_members as require_members,
        who_is_erased as who_is_erased,
    )
    from core.dynamodb.patterns.expiry import list_messages_before as list_messages_before
    from core.dynamodb.patterns.holds import (
        find_hold as find_hold,
        held_users as held_users,
        hold as hold,
        release as release,
    )
    from core.dynamodb.patterns.last_senders import last_senders as last_senders
    from core.dynamodb.patterns.message_counts import (
        MessageCounts as MessageCounts,
        count_by_hour as count_by_hour,
    )
    from core.dynamodb.patterns.reads import (
        conversation_of as conversation_of,
        conversations_with as conversations_with,
        find_message as find_message,
        inbox_row as inbox_row,
        inbox_row_at as inbox_row_at,
        known_conversation as known_conversation,
        list_inbox as list_inbox,
        list_messages as list_messages,
        list_rows_of as list_rows_of,
        message_at as message_at,
        scan as scan,
        walk_inbox as walk_inbox,
    )
    from core.dynamodb.patterns.removal_reads import (
        find_removal as find_removal,
        list_thread as list_thread,
        removed_places as removed_places,
        thread_pages as thread_pages,
        was_removed_at as was_removed_at,
    )
    from core.dynamodb.patterns.removals import remove_message as remove_message
    from core.dynamodb.patterns.renames import (
        RenamedRows as RenamedRows,
        rename_in_inboxes as rename_in_inboxes,
    )
    from core.dynamodb.patterns.search import (
        Search as Search,
        search_further as search_further,
        search_messages as search_messages,
    )
    from core.dynamodb.patterns.sends import Draft as Draft, send as send, start as start
    from core.dynamodb.patterns.wide_search import (
        Found as Found,
        Wanted as Wanted,
        search_conversations as search_conversations,
        search_store as search_store,
    )
    from core.dynamodb.prices import price as price
    from core.dynamodb.schema import (
        add_missing_index as add_missing_index,
        create_table as create_table,
        describe as describe,
        drop_table as drop_table,
        lacks_index as lacks_index,
        list_tables as list_tables,
        not_active as not_active,
        require_table as require_table,
        schema_differences as schema_differences,
        shows_new_images as shows_new_images,
        stream_is_on as stream_is_on,
    )
    from core.dynamodb.stream.handler import project as project
    from core.dynamodb.stream.shards import (
        Batch as Batch,
        Follower as Follower,
        open_follower as open_follower,
        turning_on as turning_on,
    )
    from core.dynamodb.table import (
        ConsumedCapacity as ConsumedCapacity,
        GoOn as GoOn,
        Table as Table,
        always as always,
        open_table as open_table,
    )
    from core.dynamodb.transfer.exports import (
        export_file as export_file,
        export_lines as export_lines,
    )
    from core.dynamodb.transfer.imports import Imported as Imported, import_file as import_file

NAMES = {
    "table": (
        "ConsumedCapacity",
        "GoOn",
        "Table",
        "always",
        "open_table",
    ),
    "schema": (
        "add_missing_index",
        "create_table",
        "describe",
        "drop_table",
        "lacks_index",
        "list_tables",
        "not_active",
        "require_table",
        "schema_differences",
        "shows_new_images",
        "stream_is_on",
    ),
    "marker": (
        "holds_items",
        "read_state",
        "write_marker",
    ),
    "description": (
        "IndexDescription",
        "TableDescription",
        "describe_table",
    ),
    "dynamodb_json": ("raw_item",),
    "elsewhere": ("relocated",),
    "patterns.holds": (
        "find_hold",
        "held_users",
        "hold",
        "release",
    ),
    "items": ("plain_item",),
    "keys": ("INDEX",),
    "patterns.last_senders": ("last_senders",),
    "prices": ("price",),
    "patterns.wide_search": (
        "Found",
        "Wanted",
        "search_conversations",
        "search_store",
    ),
    "patterns.reads": (
        "conversation_of",
        "conversations_with",
        "find_message",
        "inbox_row",
        "inbox_row_at",
        "known_conversation",
        "list_inbox",
        "list_messages",
        "list_rows_of",
        "message_at",
        "scan",
        "walk_inbox",
    ),
    "patterns.sends": (
        "Draft",
        "send",
        "start",
    ),
    "patterns.bulk_load": (
        "LoadedTranscript",
        "TranscriptMessage",
        "load_transcript",
    ),
    "patterns.removal_reads": (
        "find_removal",
        "list_thread",
        "removed_places",
        "thread_pages",
        "was_removed_at",
    ),
    "patterns.removals": ("remove_message",),
    "patterns.renames": (
        "RenamedRows",
        "rename_in_inboxes",
    ),
    "patterns.search": (
        "Search",
        "search_further",
        "search_messages",
    ),
    "patterns.all_conversations": (
        "conversations_of",
        "count_conversations",
        "count_messages",
        "list_all_inbox_rows",
    ),
    "patterns.erasing": (
        "ErasedUser",
        "ErasurePlan",
        "close_erasure",
        "end_erasure",
        "erase_user",
        "find_erased_user",
        "plan_erasure",
    ),
    "patterns.erasure_reads": (
        "erased_digests",
        "find_erasure",
        "require_members",
        "who_is_erased",
    ),
    "patterns.expiry": ("list_messages_before",),
    "patterns.message_counts": (
        "MessageCounts",
        "count_by_hour",
    ),
    "integrity.faults": (
        "EXPLANATIONS",
        "REPAIRABLE",
        "SAMPLES",
        "Fault",
        "FaultKind",
        "FaultSummary",
    ),
    "integrity.verification": ("Verification",),
    "integrity.repairs": ("repair",),
    "stream.shards": (
        "Batch",
        "Follower",
        "open_follower",
        "turning_on",
    ),
    "stream.handler": ("project",),
    "transfer.exports": (
        "export_file",
        "export_lines",
    ),
    "transfer.imports": (
        "Imported",
        "import_file",
    ),
}
"""Every public name, by the module that defines it."""

if not TYPE_CHECKING:
    __getattr__ = loader(__name__, NAMES)
