"""What ``ddb.seed --file`` reads, and what it refuses."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from core.errors import InputError
from core.transcripts import parse, read, read_demo


def messages(text: str) -> list[str]:
    return [line.message for line in parse(text, name="talk")]


def json_lines(*entries: object) -> str:
    return "\n".join(json.dumps(entry) for entry in entries)


def said(message: str = "hello", **more: object) -> dict[str, object]:
    return {"person": 1, "message": message, **more}


def test_plain_text_says_who_what_and_on_which_line() -> None:
    first, second = parse("Person 1: Hello\n\nPerson 2: Hi: you?\n", name="talk")
    assert (first.person, first.handle, first.message, first.line_number) == (1, None, "Hello", 1)
    assert (second.person, second.message, second.line_number) == (2, "Hi: you?", 3)
    assert first.created_at is second.created_at is None


def test_messages_are_trimmed() -> None:
    assert messages("  Person 1:   two  words \t\nPerson 2:x") == ["two  words", "x"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end_is_understood(end: str) -> None:
    assert messages(f"Person 1: a{end}{end}Person 2: b{end}") == ["a", "b"]


def test_a_byte_order_mark_is_skipped() -> None:
    assert messages("\ufeffPerson 1: a") == ["a"]
    assert messages('\ufeff{"person": 2, "message": "a"}') == ["a"]


def test_a_unicode_line_separator_inside_a_message_does_not_end_it() -> None:
    assert messages("Person 1: a\u2028b\x85c") == ["a\u2028b\x85c"]


@pytest.mark.parametrize(
    "line",
    ["and so on", "Person 3: hi", "Person 1 hi", "person 1: hi", "Person 12: hi", '{"person": 1}'],
)
def test_a_line_without_a_person_is_reported_with_its_number(line: str) -> None:
    with pytest.raises(InputError, match=r"^talk, line 3: The line begins with neither Person 1"):
        parse(f"Person 1: hi\n\n{line}\nPerson 2: bye", name="talk")


def test_an_empty_message_is_reported_with_its_number() -> None:
    with pytest.raises(InputError, match=r"^talk, line 2: The message is empty"):
        parse("Person 1: hi\nPerson 2: \t", name="talk")


def test_a_message_has_at_most_1024_code_points() -> None:
    assert messages("Person 1: " + "🚲" * 1024) == ["🚲" * 1024]
    with pytest.raises(InputError, match="line 1: The message has 1,025 characters"):
        parse("Person 1: " + "🚲" * 1025, name="talk")


@pytest.mark.parametrize("unfit", ["\0", "\ud83d"])
def test_text_that_no_store_can_hold_is_refused(unfit: str) -> None:
    with pytest.raises(InputError, match="line 1: The message contains"):
        parse(f"Person 1: a{unfit}b", name="talk")
    with pytest.raises(InputError, match="line 1: The message contains"):
        parse(json_lines(said(f"a{unfit}b")), name="talk")


@pytest.mark.parametrize("text", ["", "\ufeff", "\n \r\n\t"])
def test_a_file_without_messages_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"^talk has no messages"):
        parse(text, name="talk")


def test_json_lines_name_people_by_number_or_by_handle() -> None:
    lines = parse(
        json_lines(
            {"person": 2, "message": "a"},
            {"handle": "ana", "message": "b"},
            {"user_handle": " ben ", "message": "c", "person": None},
        ),
        name="talk",
    )
    assert [(line.person, line.handle) for line in lines] == [
        (2, None),
        (None, "ana"),
        (None, "ben"),
    ]


def test_a_message_as_get_conversation_prints_it_is_a_line() -> None:
    printed = {
        "message_uuid": "0f6a",
        "message_group_uuid": "77aa",
        "user_uuid": "9c",
        "user_handle": "ana",
        "user_display_name": "Ana",
        "message": "two\nlines",
        "created_at": "2026-01-31T18:00:00.000001+00:00",
    }
    (line,) = parse(json.dumps(printed), name="talk")
    assert line.handle == "ana"
    assert line.message == "two\nlines"
    assert line.created_at == datetime(2026, 1, 31, 18, 0, 0, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("Person 1: hi", "The line is not JSON"),
        ('{"person": 1', "The line is not JSON"),
        ('{"a":' * 100_000, "The line is not JSON"),
        ('{"a": ' + "9" * 5_000 + "}", "The line is not JSON"),
        ("[1]", "The line is not a JSON object"),
        ("null", "The line is not a JSON object"),
        ('{"person": 1, "message": "a", "message": "b"}', '"message" occurs more than once'),
        ('{"person": 1, "message": "a", "x": {"y": 1, "y": 1}}', '"y" occurs more than once'),
        ('{"person": 1}', "The line has no message"),
        ('{"person": 1, "message": 7}', "The line has no message"),
        ('{"message": "a"}', "The line does not name the sender"),
        ('{"message": "a", "handle": " "}', "The line does not name the sender"),
        ('{"message": "a", "handle": 4}', "The line does not name the sender"),
        ('{"message": "a", "handle": "\\ud800"}', "The line does not name the sender"),
        ('{"message": "a", "handle": "a\\u001b[2J"}', "The line does not name the sender"),
        (
            '{"message": "a", "person": 3}',
            "The value of person is neither 1 nor 2",
        ),
        (
            '{"message": "a", "person": true}',
            "The value of person is neither 1 nor 2",
        ),
        (
            '{"message": "a", "person": "1"}',
            "The value of person is neither 1 nor 2",
        ),
    ],
)
def test_a_malformed_json_line_is_reported_with_its_number(line: str, complaint: str) -> None:
    with pytest.raises(InputError, match=f"^talk, line 2: {complaint}"):
        parse(f"{json_lines(said())}\n{line}", name="talk")


def test_a_json_array_is_refused_with_a_hint() -> None:
    with pytest.raises(InputError, match=r"^talk, line 1: .*Begin JSON Lines with \{, not with"):
        parse(json.dumps([said()], indent=2), name="talk")


def test_times_are_read_as_instants() -> None:
    lines = parse(
        json_lines(
            said(created_at="2026-01-31T18:00:00"),
            said(created_at="2026-01-31T20:00:00+02:00"),
            said(created_at="2026-01-31T18:00:01Z"),
        ),
        name="talk",
    )
    six = datetime(2026, 1, 31, 18, tzinfo=UTC)
    assert [line.created_at for line in lines] == [six, six, six + timedelta(seconds=1)]


@pytest.mark.parametrize(
    "written", ["yesterday", "", 1769882400, True, "0001-01-01T00:00:00+14:00", []]
)
def test_an_invalid_time_is_refused(written: object) -> None:
    with pytest.raises(
        InputError, match=r"^talk, line 1: The value of created_at is not an ISO 8601 time"
    ):
        parse(json_lines(said(created_at=written)), name="talk")


def test_times_never_fall() -> None:
    offset = timezone(timedelta(hours=2))
    later, earlier = datetime(2026, 1, 31, 18, tzinfo=UTC), datetime(2026, 1, 31, 19, tzinfo=offset)
    with pytest.raises(
        InputError, match=r"^talk, line 3: The created_at is earlier than that of line 1"
    ):
        parse(
            json_lines(said(created_at=later.isoformat()))
            + "\n\n"
            + json_lines(said(created_at=earlier.isoformat())),
            name="talk",
        )


def test_either_all_lines_carry_a_time_or_none() -> None:
    timed, untimed = said(created_at="2026-01-31T18:00:00Z"), said()
    with pytest.raises(InputError, match="line 2: Line 1 has a created_at, but line 2 has none"):
        parse(json_lines(timed, untimed), name="talk")
    with pytest.raises(InputError, match="line 2: Line 2 has a created_at, but line 1 has none"):
        parse(json_lines(untimed, timed), name="talk")


def test_a_file_is_read_as_utf8_and_named_in_errors(tmp_path) -> None:
    path = tmp_path / "talk.txt"
    path.write_bytes("\ufeffPerson 1: naïve café\r\n".encode())
    assert [line.message for line in read(path)] == ["naïve café"]
    path.write_text("nobody")
    with pytest.raises(InputError) as refused:
        read(str(path))
    assert refused.value.problem.startswith(f"{path}, line 1: ")


def test_a_file_that_is_not_utf8_is_refused_with_line_and_byte(tmp_path) -> None:
    path = tmp_path / "talk.txt"
    path.write_bytes(b"Person 1: a\nPerson 2: caf\xe9\n")
    with pytest.raises(InputError, match=r"line 2: byte 26 of the file is not UTF-8"):
        read(path)


@pytest.mark.parametrize(("name", "reason"), [("none.txt", "No such file"), ("", "Is a directory")])
def test_an_unreadable_file_is_one_clear_line(tmp_path, name: str, reason: str) -> None:
    with pytest.raises(InputError, match=f"{reason}"):
        read(tmp_path / name)


def test_the_demo_conversation_is_long_enough_and_both_take_part() -> None:
    lines = read_demo()
    assert 40 <= len(lines) <= 60
    assert {line.person for line in lines} == {1, 2}


def test_the_demo_conversation_holds_what_a_terminal_and_a_page_must_cope_with() -> None:
    text = "\n".join(line.message for line in read_demo())
    assert "<b>" in text
    assert "https://" in text
    assert '"' in text
    assert "\u200d" in text  # an emoji of several code points
    assert any(line.message.startswith("+") for line in read_demo())  # a formula to a spreadsheet
