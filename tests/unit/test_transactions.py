"""What a DynamoDB error says about a transaction: committed, not committed, or unknown."""

from __future__ import annotations

from typing import Any

import botocore.exceptions
import pytest
from botocore.exceptions import ClientError

from core.dynamodb.patterns.transactions import commit
from core.dynamodb.table import Table
from core.errors import DynamoDBError, StoreError
from core.targets import AwsTarget

NOWHERE = AwsTarget("http://model", "us-east-1", placeholder_credentials=True)


class Client:
    """Answers every transaction with ``error``."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def transact_write_items(self, **_: Any) -> dict[str, Any]:
        raise self.error


def refused(code: str, *, tries_before: int = 0, status: int = 400, **more: Any) -> ClientError:
    about = {"RetryAttempts": tries_before, "HTTPStatusCode": status}
    content = {"Error": {"Code": code, "Message": code}, "ResponseMetadata": about, **more}
    return ClientError(content, "TransactWriteItems")


def cancelled(*codes: str, tries_before: int = 0) -> ClientError:
    reasons = [{"Code": code} for code in codes]
    name = "TransactionCanceledException"
    return refused(name, tries_before=tries_before, CancellationReasons=reasons)


def outcome(error: Exception) -> Any:
    return commit(Table(Client(error), "messages", NOWHERE), [])


@pytest.mark.parametrize(
    ("error", "unknown", "final"),
    [
        (refused("ProvisionedThroughputExceededException"), False, False),
        (refused("ThrottlingException"), False, False),
        (refused("ThrottlingException", tries_before=1), True, False),
        (refused("InternalServerError", status=500), True, False),
        (refused("AccessDeniedException", tries_before=1), True, True),
        (botocore.exceptions.ConnectionClosedError(endpoint_url="http://model"), True, False),
        (botocore.exceptions.ReadTimeoutError(endpoint_url="http://model"), True, False),
        (cancelled("None", "TransactionConflict"), False, False),
        (cancelled("None", "TransactionConflict", tries_before=1), True, False),
        (cancelled("None", "ConditionalCheckFailed", tries_before=1), False, False),
        (cancelled("ThrottlingError"), False, False),
        (cancelled("None", "ProvisionedThroughputExceeded"), False, False),
    ],
    ids=str,
)
def test_an_error_leaves_the_outcome_unknown_if_it_does_not_say(
    error: Exception, unknown: bool, final: bool
) -> None:
    result = outcome(error)
    assert (result.committed, result.unknown, result.final) == (False, unknown, final)


def test_only_a_condition_that_failed_counts_as_failed() -> None:
    result = outcome(cancelled("ConditionalCheckFailed", "None", "TransactionConflict"))
    assert result.failed == {0}


@pytest.mark.parametrize(
    "error", [cancelled("None", "ValidationError"), refused("ValidationException")], ids=str
)
def test_a_permanent_error_is_raised(error: Exception) -> None:
    with pytest.raises(DynamoDBError):
        outcome(error)


def test_without_credentials_nothing_was_sent() -> None:
    with pytest.raises(StoreError):
        outcome(botocore.exceptions.NoCredentialsError())
