"""The messages that the tabs have sent: each once, however often a tab asks.

The browser gives each message a uuid before it is sent, and asks again if it gets no answer. So a
message is recognised by its uuid, over reruns and over a reload of the page. After a restart of the
server, its new outbox does not know what the one before has sent: a message that was first asked of
that one may be stored already, so it is not sent.
"""

from __future__ import annotations

import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from core.errors import CoreError, InputError, MessageUnconfirmedError
from core.models import SentMessage
from core.usecases.conversations import Retry

_MOST = 2000
"""How many messages are remembered, for all tabs together."""

Deliver = Callable[[str, Retry], SentMessage]


@dataclass
class Outcome:
    """The result for one message: ``sort_key`` once it is stored, otherwise ``problem``.

    ``sent`` is its text, sender and conversation. ``retry`` is for an unconfirmed message.
    """

    sent: tuple[str, ...]
    sort_key: str = ""
    problem: CoreError | None = None
    retry: Retry | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class Outbox:
    """The messages that this server was asked to send. Does not call Streamlit."""

    def __init__(self) -> None:
        self.id = str(uuid.uuid4())
        self._lock = threading.Lock()
        self._outcomes: OrderedDict[str, Outcome] = OrderedDict()

    def submit(
        self, message_uuid: str, text: str, where: tuple[str, ...], deliver: Deliver, outbox_id: str
    ) -> Outcome:
        """Send ``text``, unless it was sent; a second call at the same time waits for the first.

        ``where`` is the sender and the conversation. Another text, sender or conversation is
        another message and needs a new uuid. ``outbox_id`` is of the outbox that was asked first.
        """
        try:
            outcome = self._outcome(message_uuid, (text, *where), outbox_id)
        except InputError as error:
            return Outcome((), problem=error)
        with outcome.lock:
            if not outcome.sort_key:
                _deliver(message_uuid, text, outcome, deliver)
        return outcome

    def _outcome(self, message_uuid: str, sent: tuple[str, ...], outbox_id: str) -> Outcome:
        if not _is_uuid(message_uuid):
            raise InputError("The message has no valid id", "Reload the page.")
        with self._lock:
            if outbox_id != self.id and message_uuid not in self._outcomes:
                raise InputError(
                    "The admin UI was started again before the answer came: the message may or may"
                    " not be stored",
                    "Check the conversation before you send it again.",
                )
            outcome = self._outcomes.setdefault(message_uuid, Outcome(sent))
            while len(self._outcomes) > _MOST:
                self._outcomes.popitem(last=False)
        if outcome.sent != sent:
            raise InputError("Another message has this id", "Reload the page.")
        return outcome


def _deliver(message_uuid: str, text: str, outcome: Outcome, deliver: Deliver) -> None:
    try:
        sent = deliver(text, outcome.retry or Retry(message_uuid))
    except MessageUnconfirmedError as error:
        outcome.retry = Retry(error.message_uuid, error.created_at)
        outcome.problem = error
    except CoreError as error:
        outcome.problem = error
    else:
        outcome.sort_key, outcome.problem = sent.message.sort_key, None


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
