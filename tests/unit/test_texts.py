"""The rule for a message's text."""

import pytest

from core.errors import InputError
from core.texts import message_text


@pytest.mark.parametrize("text", ["", "   ", "\n\t ", "x" * 1025, "🙂" * 1025, "a\0b", "\ud83d"])
def test_text_that_is_not_a_message_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        message_text(text)


@pytest.mark.parametrize(
    "text", ["x", "x" * 1024, "🙂" * 1024, "<script>", "' OR 1=1", "=cmd()", "a\nb", "#", "0"]
)
def test_a_message_is_unchanged(text: str) -> None:
    assert message_text(text) == text


def test_blanks_around_a_message_are_removed() -> None:
    assert message_text("  " + "x" * 1024 + "\n") == "x" * 1024
