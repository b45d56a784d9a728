"""Unconfirmed sends: no uncertain send is reported as certain, and nothing is stored twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import botocore.exceptions
import pytest
from botocore.exceptions import ClientError, CredentialRetrievalError
from botocore.parsers import ResponseParserError

from core.dynamodb import retries
from core.dynamodb.patterns import reads, sends, transactions
from core.dynamodb.patterns.sends import Draft, send, start
from core.dynamodb.table import Table
from core.errors import CredentialsError, MessageUnconfirmedError, StoreError
from core.models import Message, Person


@pytest.fixture
def group(table, ana, ben) -> str:
    return start(table, Draft(ana, ben, "hi"))[0].message_group_uuid


def texts(table: Table, group: str) -> list[str]:
    messages = reads.list_messages(table, group, limit=100, newest_first=False).entries
    return [message.text for message in messages]


def previews(table: Table, *people) -> list[list[str]]:
    return [
        [row.preview for row in reads.list_inbox(table, person.uuid, limit=9).entries]
        for person in people
    ]


def answer(code: str, status: int, tries_before: int = 0) -> ClientError:
    metadata = {"HTTPStatusCode": status, "RetryAttempts": tries_before}
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": metadata}, "Any")


def cancelled(reason: str, tries_before: int) -> ClientError:
    error = answer("TransactionCanceledException", 400, tries_before)
    error.response["CancellationReasons"] = [{"Code": "None"}, {"Code": reason}]
    return error


NO_ANSWERS = {
    "connection reset": botocore.exceptions.ConnectionClosedError(endpoint_url="http://127.0.0.1"),
    "empty 502": answer("502", 502),
    "503 of a load balancer": answer("503", 503),
    "internal error": answer("InternalServerError", 500),
    "a web page": StoreError("what answers there is not dynamodb"),
    "half an answer": ResponseParserError("cut off"),
    "keys that expired between the SDK's tries": answer("ExpiredTokenException", 400, 1),
    "keys that were gone at the SDK's second try": CredentialRetrievalError(
        provider="sso", error_msg="expired"
    ),
    "throttled at the SDK's second try": answer("ThrottlingException", 400, 1),
    "table gone at the SDK's second try": answer("ResourceNotFoundException", 400, 1),
    "a conflict at the SDK's second try": cancelled("TransactionConflict", 1),
}
"""The errors that may follow a committed transaction."""


class LossyClient:
    """Forwards requests, and raises an error for the first transactions."""

    def __init__(
        self, client, losses: int, *, after_commit: bool, failure: Exception | None = None
    ) -> None:
        self._client, self._losses, self._after_commit = client, losses, after_commit
        self._told = failure or NO_ANSWERS["connection reset"]

    def __getattr__(self, name: str):
        return getattr(self._client, name)

    def transact_write_items(self, **params):
        if self._losses == 0:
            return self._client.transact_write_items(**params)
        self._losses -= 1
        if self._after_commit:
            self._client.transact_write_items(**params)
        raise self._told


def lossy(
    table: Table, losses: int, *, after_commit: bool, failure: Exception | None = None
) -> Table:
    client = LossyClient(table.client, losses, after_commit=after_commit, failure=failure)
    return replace(table.metered(), client=client)


@pytest.mark.parametrize("after_commit", [True, False])
def test_a_lost_reply_does_not_double_a_message(table, ana, ben, group, after_commit) -> None:
    message = send(lossy(table, 2, after_commit=after_commit), group, Draft(ana, ben, "once"))
    assert texts(table, group) == ["hi", "once"]
    assert previews(table, ana, ben) == [["once"], ["once"]]
    assert reads.newest_message(table, group) == message


@pytest.mark.parametrize("after_commit", [True, False])
def test_a_lost_reply_does_not_double_a_conversation(table, ana, ben, after_commit) -> None:
    message, started = start(lossy(table, 1, after_commit=after_commit), Draft(ana, ben, "once"))
    assert started
    assert texts(table, message.message_group_uuid) == ["once"]
    assert previews(table, ana, ben) == [["once"], ["once"]]


class Impatience(retries.Backoff):
    def __init__(self) -> None:
        super().__init__(total_s=-1)


@pytest.mark.parametrize("after_commit", [True, False])
def test_an_unconfirmed_send_can_be_sent_again_and_is_stored_once(
    table, ana, ben, group, monkeypatch, after_commit
) -> None:
    monkeypatch.setattr(sends, "Backoff", Impatience)
    monkeypatch.setattr(sends, "find_message", unanswered)
    broken = lossy(table, 1, after_commit=after_commit)
    with pytest.raises(MessageUnconfirmedError) as caught:
        send(broken, group, Draft(ana, ben, "once"))
    monkeypatch.undo()
    send(table, group, Draft(ben, ana, "meanwhile"))
    error = caught.value
    again = Draft(ana, ben, "once", message_uuid=error.message_uuid, tried_from=error.created_at)
    send(table, group, again)
    assert sorted(texts(table, group)) == ["hi", "meanwhile", "once"]


def unanswered(*_, **__):
    return None


def test_an_error_after_an_unconfirmed_try_leaves_the_send_unconfirmed(
    table, ana, ben, group, monkeypatch
) -> None:
    outcomes = iter([transactions.Outcome(unknown=True)])

    def commit(*_) -> transactions.Outcome:
        if (outcome := next(outcomes, None)) is None:
            raise StoreError("no more")
        return outcome

    monkeypatch.setattr(sends, "commit", commit)
    with pytest.raises(MessageUnconfirmedError):
        send(table, group, Draft(ana, ben, "in doubt"))


@pytest.mark.parametrize("failure", NO_ANSWERS.values(), ids=NO_ANSWERS.keys())
def test_a_committed_message_is_found_whatever_the_error_was(
    table, ana, ben, group, failure
) -> None:
    broken = lossy(table, 1, after_commit=True, failure=failure)
    assert send(broken, group, Draft(ana, ben, "once")).text == "once"
    assert texts(table, group) == ["hi", "once"]


@pytest.mark.parametrize("failure", NO_ANSWERS.values(), ids=NO_ANSWERS.keys())
@pytest.mark.parametrize("begin", [send, start])
def test_a_send_that_cannot_be_looked_up_stays_unconfirmed(
    table, ana, ben, group, monkeypatch, failure, begin
) -> None:
    cleo = ben if begin is send else Person("cleo", "cleo", "Cleo")
    monkeypatch.setattr(sends, "Backoff", Impatience)
    monkeypatch.setattr(sends, "find_message", refused)
    if begin is start:
        monkeypatch.setattr(sends, "existing_group", answers_once(None))
    broken = lossy(table, 1, after_commit=True, failure=failure)
    draft = Draft(ana, cleo, "once")
    with pytest.raises(MessageUnconfirmedError) as caught:
        begun(begin, broken, group, draft)
    monkeypatch.undo()
    error = caught.value
    again = Draft(ana, cleo, "once", message_uuid=error.message_uuid, tried_from=error.created_at)
    message, _ = start(table, again)
    assert texts(table, message.message_group_uuid).count("once") == 1


FINAL = ["a web page", "half an answer", "keys that expired between the SDK's tries"]


@pytest.mark.parametrize("failure", FINAL)
@pytest.mark.parametrize("begin", [send, start])
def test_an_error_that_a_retry_cannot_resolve_is_not_retried(
    table, ana, ben, group, monkeypatch, failure, begin
) -> None:
    tried = []

    def never_answers(**params) -> None:
        tried.append(params)
        raise NO_ANSWERS[failure]

    monkeypatch.setattr(table.client, "transact_write_items", never_answers)
    to = ben if begin is send else Person("cleo", "cleo", "Cleo")
    with pytest.raises(MessageUnconfirmedError):
        begun(begin, table, group, Draft(ana, to, "lost"))
    assert len(tried) == 1


def test_a_conversation_whose_retry_the_store_cancels_is_started_once(table, ana, ben) -> None:
    """A store may forget the token that identifies the SDK's second try."""
    commit = table.client.transact_write_items

    class Forgetful(LossyClient):
        def transact_write_items(self, **params):
            commit(**params)
            return commit(**params)

    forgetful = replace(table, client=Forgetful(table.client, 0, after_commit=True))
    message, started = start(forgetful, Draft(ana, ben, "once"))
    assert started
    assert texts(table, message.message_group_uuid) == ["once"]


def begun(begin: Callable, table: Table, group: str, draft: Draft) -> None:
    if begin is send:
        send(table, group, draft)
    else:
        start(table, draft)


def refused(*_, **__) -> Message | None:
    raise StoreError("no answer")


def answers_once(value: str | None) -> Callable[..., str | None]:
    answers = iter([value])

    def answer(*_) -> str | None:
        try:
            return next(answers)
        except StopIteration:
            raise StoreError("no answer") from None

    return answer


@pytest.mark.parametrize("begin", [send, start])
def test_a_first_try_that_was_refused_is_certain(table, ana, ben, group, begin) -> None:
    denied = answer("AccessDeniedException", 400)
    broken = lossy(table, 1, after_commit=False, failure=denied)
    to = ben if begin is send else Person("cleo", "cleo", "Cleo")
    with pytest.raises(CredentialsError):
        begun(begin, broken, group, Draft(ana, to, "never"))
    assert texts(table, group) == ["hi"]


@pytest.mark.parametrize("read", ["list_rows_of", "find_message", "existing_group"])
def test_a_retry_that_is_refused_is_still_unconfirmed(
    table, ana, ben, group, monkeypatch, read
) -> None:
    tried_from = reads.newest_message(table, group).sort_key
    again = Draft(ana, ben, "once", message_uuid="m", tried_from=tried_from)
    monkeypatch.setattr(sends, read, refused)
    with pytest.raises(MessageUnconfirmedError) as caught:
        start(table, again)
    assert (caught.value.message_uuid, caught.value.created_at) == ("m", tried_from)
