"""Every error that :mod:`core` raises for its callers.

::

    CoreError                    one line: what is wrong, and what to do next
     ├── UsageError              options that are missing, contradict or do not parse
     ├── SettingsError           an environment variable that cannot be used
     ├── InputError              a value that must not be stored
     ├── NotFoundError           a user or conversation that does not exist
     ├── NotAMemberError         a user acting in a conversation without being a member
 ├── HeldError              something of a user on whom there is a hold, which must stay
 ├── MemberErasedError       a send to a user who was erased
 ├── MessageRemovedError     a send that is tried again after its message was removed
     ├── TargetRefusedError      a step that needs a typed name, a reason or a permission
     ├── LoginEndedError         a login that has ended while its tab was open
     ├── NotPermittedError       a request that its store was not opened for
     ├── AuditError              an audit line that could not be written or read
     ├── NotInstalledError       a package that is not installed, and how to install it
     ├── EngineError             the embedded engines will not start, stop or answer
     └── StoreError              a database refused a request, or did not answer
          ├── UnreachableError       no server answered at the endpoint
          ├── CredentialsError       no credentials, or not these
          ├── MissingSchemaError     the table or database does not exist yet
          │    └── MissingTableError    the DynamoDB table or its index
          ├── MessageUnconfirmedError  a send with an unknown result; has what a retry needs
          ├── DynamoDBError          carries the error code and the cancellation reasons
          └── PostgresError          carries the SQLSTATE

Drivers' errors are translated once, in the store packages, with ``raise … from``.
"""

from __future__ import annotations

from collections.abc import Sequence

from core.commands import Command, advice


class CoreError(Exception):
    """A problem in one line: ``problem``, then ``hint``, which says what to do next.

    The last sentence of ``hint`` introduces ``command`` where there is one.
    """

    exit_code = 1

    def __init__(self, problem: str, hint: str = "", command: Command | None = None) -> None:
        super().__init__(problem, hint, command)
        self.problem = problem
        self.hint = hint
        self.command = command

    def line(self, on: str = "") -> str:
        """The problem and what to do next; ``on``: see :meth:`~core.commands.Command.line`."""
        problem = self.problem.rstrip(".")
        if next_step := advice(self.hint, self.command, on):
            problem += f" {next_step}" if problem.endswith("?") else f". {next_step}"
        return " ".join(problem.split())

    def __str__(self) -> str:
        return self.line()


class UsageError(CoreError):
    """Options that are missing, contradict each other, or do not parse."""

    exit_code = 2


class SettingsError(CoreError):
    """An environment variable whose value cannot be used."""


class InputError(CoreError):
    """A value that must not reach a store: an empty message, a malformed line."""


class NotFoundError(CoreError):
    """A user or a conversation that does not exist."""


class NotAMemberError(CoreError):
    """A user tried to read or write a conversation without being a member."""


class LoginEndedError(CoreError):
    """An action of a person whose login has ended, has expired, or never was."""


class HeldError(CoreError):
    """Something of a held user was to be removed: nothing was."""


class MessageRemovedError(CoreError):
    """A retried send whose message was stored and has been removed since: it stays removed."""


class MemberErasedError(CoreError):
    """A send to a user, or into a conversation of a user, who was erased: nothing was stored."""


class TargetRefusedError(CoreError):
    """A step that was not allowed: its store's name was not typed, or no reason was given."""


class NotPermittedError(CoreError):
    """A request that its handle was not opened for; nothing was sent."""


class AuditError(CoreError):
    """An audit line that could not be written, or an audit file that could not be read."""


class NotInstalledError(CoreError):
    """A package that a task needs is not installed."""


class EngineError(CoreError):
    """An embedded engine that will not start, stop or answer."""


class StoreError(CoreError):
    """A database refused a request or did not answer. ``is_transient``: a retry may succeed."""

    is_transient = False


class UnreachableError(StoreError):
    """No server answered at the endpoint in time."""

    is_transient = True


class CredentialsError(StoreError):
    """No credentials were found, or the store refused the ones it got."""


class MissingSchemaError(StoreError):
    """The table, index or database that was asked for does not exist (yet)."""


class MissingTableError(MissingSchemaError):
    """The DynamoDB table or its index does not exist (yet)."""


class MessageUnconfirmedError(StoreError):
    """A send whose reply was lost: the message may or may not be stored.

    Send again with the same ``message_uuid`` and ``created_at`` (the sort key that may be stored):
    then the message is stored once, whether or not this attempt stored it.
    """

    def __init__(self, problem: str, hint: str, *, message_uuid: str, created_at: str) -> None:
        super().__init__(problem, hint)
        self.message_uuid = message_uuid
        self.created_at = created_at


class DynamoDBError(StoreError):
    """DynamoDB refused a request.

    ``code`` is DynamoDB's error code; ``reasons`` are the cancellation reasons of a transaction,
    in the order of its actions (``"None"`` for an action that was not at fault).
    Its code, or its HTTP ``status``, tells whether it is transient.

    The codes:
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
    """

    _TRANSIENT = frozenset(
        {
            "InternalServerError",
            "LimitExceededException",
            "ProvisionedThroughputExceededException",
            "RequestLimitExceeded",
            "ServiceUnavailable",
            "ThrottlingException",
            "TransactionConflictException",
            "TransactionInProgressException",
        }
    )

    def __init__(
        self,
        problem: str,
        hint: str = "",
        *,
        code: str,
        reasons: Sequence[str] = (),
        status: int | None = None,
    ) -> None:
        super().__init__(problem, hint)
        self.code = code
        self.reasons = tuple(reasons)
        self.is_transient = code in self._TRANSIENT or (status or 0) >= 500


class PostgresError(StoreError):
    """Postgres refused a statement. ``sqlstate`` is its five-character code, or None.

    The codes: https://www.postgresql.org/docs/current/errcodes-appendix.html
    """

    def __init__(
        self,
        problem: str,
        hint: str = "",
        command: Command | None = None,
        *,
        sqlstate: str | None = None,
    ) -> None:
        super().__init__(problem, hint, command)
        self.sqlstate = sqlstate
