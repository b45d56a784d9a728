"""The DynamoDB message table: create, seed, look into, check, follow, move and drop it."""

from invoke.collection import Collection

from task_groups.ddb import integrity, patterns, search, seeding, stream, table, transfer

ns = Collection(
    table.schema_load,
    table.drop,
    table.list_tables,
    table.scan,
    search.search,
    seeding.seed,
    stream.follow_stream,
    integrity.verify,
    transfer.export,
    transfer.import_,
)
ns.add_collection(Collection.from_module(patterns), "patterns")
