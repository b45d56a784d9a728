"""The login in front of production, with the embedded engines' Cognito as the provider."""

from __future__ import annotations

import json
import re
import secrets
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from playwright.sync_api import Page, WebSocket, expect
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

from core.aws.clients import make_client
from core.targets import AwsTarget

from .conftest import Line, leave, serving, wait_until_drawn
from .test_hosts import status
from .test_journeys import say

GROUP = "cruddur-night-shift"
PASSWORD = "Correct-horse-1"
COOKIE = "_streamlit_user"
COOKIE_SECRET = secrets.token_hex(32)
PRIVATE = "what andrew told bayko in private"


@dataclass(frozen=True)
class Provider:
    """A user pool with one person in the operators' group, and one in another group."""

    cognito: object
    endpoint_url: str
    pool: str
    client: dict[str, str] = field(repr=False)
    addresses: list[str] = field(default_factory=list)

    def settings(self) -> str:
        """``secrets.toml``, as in docs/admin-ui.md."""
        return f"""
            [auth]
            redirect_uri = "http://127.0.0.1:{{port}}/oauth2callback"
            cookie_secret = "{COOKIE_SECRET}"
            client_id = "{self.client["ClientId"]}"
            client_secret = "{self.client["ClientSecret"]}"
            server_metadata_url = "{self.endpoint_url}/{self.pool}/.well-known/openid-configuration"
        """

    def let_back(self, url: str) -> None:
        """Register the app's address, which Cognito must know before a login.

        The others stay registered: the tests of a process run in any order.
        """
        self.addresses.append(f"{url}/oauth2callback")
        self.cognito.update_user_pool_client(
            UserPoolId=self.pool,
            ClientId=self.client["ClientId"],
            CallbackURLs=self.addresses,
            LogoutURLs=self.addresses,
            AllowedOAuthFlows=["code"],
            AllowedOAuthFlowsUserPoolClient=True,
            AllowedOAuthScopes=["openid", "email", "profile"],
            SupportedIdentityProviders=["COGNITO"],
        )


@pytest.fixture(scope="module")
def provider(engines) -> Iterator[Provider]:
    target = AwsTarget(engines.aws_endpoint_url, "us-east-1", placeholder_credentials=True)
    cognito = make_client(target, "cognito-idp")
    pool = cognito.create_user_pool(PoolName="operators")["UserPool"]["Id"]
    client = cognito.create_user_pool_client(
        UserPoolId=pool, ClientName="admin-ui", GenerateSecret=True
    )["UserPoolClient"]
    for name, group in (("olga", GROUP), ("otto", "cruddur-gardeners")):
        attributes = [{"Name": "email", "Value": f"{name}@ops.example"}]
        cognito.admin_create_user(UserPoolId=pool, Username=name, UserAttributes=attributes)
        cognito.admin_set_user_password(
            UserPoolId=pool, Username=name, Password=PASSWORD, Permanent=True
        )
        cognito.create_group(UserPoolId=pool, GroupName=group)
        cognito.admin_add_user_to_group(UserPoolId=pool, Username=name, GroupName=group)
    yield Provider(cognito, engines.aws_endpoint_url, pool, client)
    cognito.delete_user_pool(UserPoolId=pool)
    cognito.close()


@pytest.fixture(scope="module")
def prod_env(app_env) -> dict[str, str]:
    """The stores of ``app_env`` as production, with one conversation.

    A process that returns to these tests after others sends its message once more.
    """
    say(app_env, "andrewbrown", "bayko", PRIVATE)
    return {
        "PATH": app_env["PATH"],
        "HOME": app_env["HOME"],
        "PROD_CONNECTION_URL": app_env["CONNECTION_URL"],
        "PROD_AWS_ENDPOINT_URL": app_env["AWS_ENDPOINT_URL"],
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "DDB_MESSAGE_TABLE": app_env["DDB_MESSAGE_TABLE"],
        "CRUDDUR_ADMIN_GROUP": GROUP,
        "STREAMLIT_SECRETS_FILES": "/nonexistent/secrets.toml",
    }


@pytest.fixture(scope="module")
def with_login(prod_env, provider, tmp_path_factory) -> dict[str, str]:
    file = tmp_path_factory.mktemp("login") / "secrets.toml"
    file.write_text(provider.settings())
    return prod_env | {"STREAMLIT_SECRETS_FILES": str(file)}


@pytest.fixture(scope="module")
def log(tmp_path_factory) -> Path:
    """The stderr of the app of ``prod_url``."""
    return tmp_path_factory.mktemp("audit") / "stderr"


@pytest.fixture(scope="module")
def prod_url(with_login, provider, log) -> Iterator[str]:
    """The admin UI on production, without ``--write``."""
    with serving(with_login, "--prod", log=log) as url:
        provider.let_back(url)
        yield url


@pytest.fixture(scope="module")
def write_log(tmp_path_factory) -> Path:
    """The stderr of the app of ``write_url``."""
    return tmp_path_factory.mktemp("audit") / "stderr"


@pytest.fixture(scope="module")
def write_url(with_login, provider, write_log) -> Iterator[str]:
    """The admin UI on production, with ``--write``."""
    with serving(with_login, "--prod", "--write", log=write_log) as url:
        provider.let_back(url)
        yield url


@pytest.fixture
def sent(write_log: Path, write_url: str) -> Callable[[], list[dict[str, str]]]:
    """The audit lines of the messages that the test sent over ``write_url``."""
    before = len(audit_lines(write_log))
    return lambda: [
        line for line in audit_lines(write_log)[before:] if line["what"] == "message sent"
    ]


@pytest.fixture
def frames(page: Page) -> Iterator[list[str]]:
    """What the app sent to the page over its websocket."""
    received: list[str] = []

    def note(payload: bytes | str) -> None:
        received.append(payload if isinstance(payload, str) else payload.decode("utf-8", "replace"))

    def listen(socket: WebSocket) -> None:
        socket.on("framereceived", note)

    page.on("websocket", listen)
    yield received
    page.remove_listener("websocket", listen)


def log_in(page: Page, url: str, name: str) -> None:
    page.goto(url)
    page.get_by_role("button", name="Log in").click()
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{url}/")


def open_for_a_reason(page: Page, url: str, user: str, other: str) -> None:
    page.goto(f"{url}/?user={user}")
    give_reason(page, "Why do you open this inbox")
    page.get_by_role("link", name=other).first.click()
    give_reason(page, "Why do you open this conversation")


def give_reason(page: Page, question: str) -> None:
    box = page.get_by_role("textbox", name=question)
    button = page.get_by_test_id("stForm").filter(has=box).get_by_role("button", name="Open")
    expect(box).to_be_focused()
    expect(page.get_by_role("article")).to_have_count(0)
    expect(button).to_be_visible()  # the form is drawn from above, and Tab leads to what is there
    page.keyboard.type("ticket 7")
    page.keyboard.press("Tab")
    expect(button).to_be_focused()
    page.keyboard.press("Enter")


def audit_lines(log: Path) -> list[dict[str, str]]:
    lines = log.read_text().splitlines()
    return [json.loads(line.removeprefix("audit ")) for line in lines if line.startswith("audit ")]


def assert_nothing_was_shown(page: Page, frames: list[str]) -> None:
    """Neither the page nor its data has a person, a message or an address of a store."""
    assert frames
    text = page.inner_text("body") + "".join(frames)
    for word in (PRIVATE, "andrewbrown", "Andrew Brown", "bayko", "Postgres", "DynamoDB"):
        assert word not in text


def carry_cookie(page: Page, url: str, secret: str, **claims: object) -> None:
    """Make the browser send a forged login, signed with ``secret``."""
    claims = {
        "is_logged_in": True,
        "origin": url,
        "sub": str(uuid.uuid4()),
        "email": "olga@ops.example",
        "iat": int(time.time()),
        "cognito:groups": [GROUP],
    } | claims
    value = create_signed_value(secret, COOKIE, json.dumps(claims)).decode()
    page.context.add_cookies([{"name": COOKIE, "value": value, "url": url}])


def test_without_a_login_configured_production_says_what_to_configure(
    page: Page, prod_env, frames
) -> None:
    with serving(prod_env, "--prod") as url:
        page.goto(f"{url}/?user=andrewbrown")
        expect(page.get_by_text("needs a login, and none is configured")).to_be_visible()
        for name in ("secrets.toml", "redirect_uri", "cookie_secret", "server_metadata_url"):
            expect(page.get_by_text(name)).to_be_visible()
        assert_nothing_was_shown(page, frames)
        page.goto(f"{url}/new_conversation")
        expect(page.get_by_text("needs a login")).to_be_visible()
        expect(page.get_by_role("textbox")).to_have_count(0)
        leave(page)


def test_nothing_is_shown_before_the_login(page: Page, prod_url, frames) -> None:
    page.goto(f"{prod_url}/?user=andrewbrown")
    expect(page.get_by_role("button", name="Log in")).to_be_visible()
    expect(page.get_by_text("PRODUCTION")).to_have_count(0)
    assert_nothing_was_shown(page, frames)


def test_a_person_of_the_group_may_read_but_not_write(page: Page, prod_url, log) -> None:
    log_in(page, prod_url, "olga")
    expect(page.get_by_text("PRODUCTION")).to_be_visible()
    page.get_by_text("PRODUCTION").click()
    expect(page.get_by_text("read-only: start with")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("Logged in as olga@ops.example")).to_be_visible()
    open_for_a_reason(page, prod_url, "andrewbrown", "Andrew Bayko")
    expect(page.get_by_role("article").get_by_text(PRIVATE).last).to_be_visible()
    expect(page.get_by_role("button", name="Send")).to_have_count(0)
    expect(page.get_by_role("textbox", name="Message", exact=True)).to_have_count(0)
    *_, line = [line for line in audit_lines(log) if line["what"] == "conversation opened"]
    assert (line["actor"]["email"], line["target"]) == ("olga@ops.example", "production")
    assert line["why"] == "ticket 7"
    assert re.fullmatch(r"[0-9a-f-]{36}", line["about"][0])
    assert PRIVATE not in log.read_text()


def test_a_person_of_another_group_sees_nothing(page: Page, prod_url, frames) -> None:
    log_in(page, prod_url, "otto")
    expect(page.get_by_text(f"not in the group {GROUP}")).to_be_visible()
    page.goto(f"{prod_url}/?user=andrewbrown")
    expect(page.get_by_text(f"not in the group {GROUP}")).to_be_visible()
    expect(page.get_by_text("Logged in as otto@ops.example")).to_be_visible()
    page.goto(f"{prod_url}/new_conversation")
    expect(page.get_by_text(f"not in the group {GROUP}")).to_be_visible()
    expect(page.get_by_role("textbox")).to_have_count(0)
    assert_nothing_was_shown(page, frames)


def test_nothing_is_shown_after_logging_out(page: Page, prod_url, frames) -> None:
    log_in(page, prod_url, "olga")
    expect(page.get_by_text("PRODUCTION")).to_be_visible()
    with page.expect_response(lambda response: "/auth/logout" in response.url):
        page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("button", name="Log in")).to_be_visible()
    expect(page).to_have_url(f"{prod_url}/")  # through the provider, which returns to the app
    assert COOKIE not in [cookie["name"] for cookie in page.context.cookies()]
    frames.clear()
    page.goto(f"{prod_url}/?user=andrewbrown")
    expect(page.get_by_role("button", name="Log in")).to_be_visible()
    assert_nothing_was_shown(page, frames)


def test_with_write_an_answer_is_audited_with_the_login(page: Page, write_url, sent) -> None:
    log_in(page, write_url, "olga")
    expect(page.get_by_text("you may write")).to_be_visible()
    open_for_a_reason(page, write_url, "bayko", "Andrew Brown")
    page.get_by_role("textbox", name="Message", exact=True).fill("from the night shift")
    page.get_by_role("button", name="Send").click()
    bubble = page.get_by_role("article").get_by_text("from the night shift")
    expect(bubble).to_be_visible()
    (line,) = sent()
    assert line["actor"]["email"] == "olga@ops.example"
    # Each page asks for its own reason, and then leads to its search.
    page.goto(f"{write_url}/users")
    give_reason(page, "Why do you open the users")
    expect(page.get_by_label("Find a user")).to_be_focused()
    # The login scrolls with the page, and is over nothing.
    page.set_viewport_size({"width": 1280, "height": 500})
    page.get_by_role("button", name="Add").scroll_into_view_if_needed()
    expect(page.get_by_role("button", name="Log out")).not_to_be_in_viewport()
    # On a phone, a conversation that asks for a reason has a way back to the list.
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{write_url}/?user=bayko&conversation=nope")
    expect(page.get_by_label("Why do you open this conversation")).to_be_visible()
    page.get_by_role("button", name="Back to their conversations").click()
    expect(page.get_by_label("Why do you open this inbox")).to_be_visible()


def test_a_login_signed_with_the_right_secret_is_valid(page: Page, prod_url) -> None:
    """The control of the tests below: only their change makes the login invalid."""
    carry_cookie(page, prod_url, COOKIE_SECRET)
    page.goto(prod_url)
    expect(page.get_by_text("Logged in as olga@ops.example")).to_be_visible()


@pytest.mark.parametrize(
    ("secret", "claims"),
    [
        pytest.param("another secret, as long as one has to be", {}, id="another secret"),
        pytest.param(COOKIE_SECRET, {"origin": "http://127.0.0.1:1"}, id="another app's"),
        pytest.param(COOKIE_SECRET, {"iat": int(time.time()) - 13 * 3600}, id="yesterday's"),
        pytest.param(COOKIE_SECRET, {"iat": None}, id="of no age"),
    ],
)
def test_an_invalid_login_shows_the_log_in_page(
    page: Page, prod_url, frames, secret, claims
) -> None:
    carry_cookie(page, prod_url, secret, **claims)
    page.goto(f"{prod_url}/?user=andrewbrown")
    expect(page.get_by_role("button", name="Log in")).to_be_visible()
    assert_nothing_was_shown(page, frames)


def test_at_another_address_than_redirect_uri_the_page_names_the_right_one(
    page: Page, prod_url
) -> None:
    page.goto(f"http://localhost:{urlsplit(prod_url).port}")
    expect(page.get_by_text("comes back to another address")).to_be_visible()
    with page.context.expect_page() as opened:
        page.get_by_role("link", name=prod_url).click()
    expect(opened.value.get_by_role("button", name="Log in")).to_be_visible()


def test_an_unexpected_error_is_shown_without_a_traceback(page: Page, prod_url, frames) -> None:
    carry_cookie(page, prod_url, COOKIE_SECRET, **{"cognito:groups": 5})
    page.goto(prod_url)
    expect(page.get_by_test_id("stException")).to_be_visible()
    text = page.inner_text("body") + "".join(frames)
    for word in ("Traceback", "access.py", "TypeError", "not iterable"):
        assert word not in text


def open_conversation_with_a_login(page: Page, url: str, **claims: object) -> None:
    """Open the conversation in ``page``, as olga."""
    carry_cookie(page, url, COOKIE_SECRET, **claims)
    open_for_a_reason(page, url, "bayko", "Andrew Brown")
    expect(page.get_by_role("article").get_by_text(PRIVATE).last).to_be_visible()


def assert_shows_the_log_in_page(page: Page, within_s: float) -> None:
    expect(page.get_by_role("button", name="Log in")).to_be_visible(timeout=within_s * 1000)
    expect(page.get_by_role("article")).to_have_count(0)
    expect(page.get_by_text("PRODUCTION")).to_have_count(0)
    expect(page.get_by_text(PRIVATE)).to_have_count(0)


def test_logging_out_in_one_tab_logs_out_all_tabs(page: Page, prod_url, with_login) -> None:
    open_conversation_with_a_login(page, prod_url)
    other = page.context.new_page()
    other.goto(f"{prod_url}/users")
    expect(other.get_by_text("Logged in as olga@ops.example")).to_be_visible()
    other.get_by_role("button", name="Log out").click()
    assert_shows_the_log_in_page(page, within_s=5)  # without any action in it


def test_a_tick_that_arrives_after_the_end_of_the_login_draws_nothing(line: Line, prod_url) -> None:
    """A page sends ticks of its fragments until it hears that they have ended.

    What they drew would be placed among the elements of the page before, and end in an empty page.
    """
    open_conversation_with_a_login(line.tab, prod_url)
    while len(ticks := {tick.rerun_script.fragment_id: tick for tick in line.ticks}) < 2:
        line.tab.wait_for_timeout(100)  # for one of the login and one of the conversation
    line.tab.evaluate(f"async () => {{ {LOG_OUT} }}")
    assert_shows_the_log_in_page(line.tab, within_s=5)
    wait_until_drawn(line.tab)
    line.received.clear()
    for tick in ticks.values():
        line.send(tick)
    line.tab.wait_for_timeout(1_000)
    assert line.received == []


def test_an_open_conversation_notices_an_expired_login(
    page: Page, prod_url, frames, app_env
) -> None:
    lasts_s = 30
    expires_at = time.time() + lasts_s
    open_conversation_with_a_login(page, prod_url, iat=int(time.time()) - 12 * 3600 + lasts_s)
    assert time.time() < expires_at
    page.wait_for_timeout((expires_at - time.time()) * 1000)
    assert_shows_the_log_in_page(page, within_s=5)
    frames.clear()
    say(app_env, "andrewbrown", "bayko", "after the end")
    page.wait_for_timeout(6_000)  # longer than the page waits between two checks
    assert "after the end" not in "".join(frames)


def press_send(page: Page, before: str = "") -> None:
    """Have the page press its button in one go with the script ``before``."""
    page.evaluate(
        f"""async () => {{
            const roots = [...document.querySelectorAll("*")].map(node => node.shadowRoot);
            const button = roots.map(root => root?.querySelector("button.send")).find(Boolean);
            {before}
            button.click();
        }}"""
    )


LOG_OUT = 'await fetch("/auth/logout", {redirect: "manual"});'


def test_nothing_is_stored_after_logging_out(page: Page, write_url, sent) -> None:
    open_conversation_with_a_login(page, write_url)
    page.get_by_role("textbox", name="Message", exact=True).fill("before the end")
    press_send(page)
    bubble = page.get_by_role("article").get_by_text("before the end")
    expect(bubble).to_be_visible()
    wait_until_drawn(page)
    page.get_by_role("textbox", name="Message", exact=True).fill("too late")
    press_send(page, LOG_OUT)
    assert_shows_the_log_in_page(page, within_s=5)
    carry_cookie(page, write_url, COOKIE_SECRET)
    open_for_a_reason(page, write_url, "bayko", "Andrew Brown")
    expect(bubble).to_be_visible()
    expect(page.get_by_text("too late")).to_have_count(0)
    assert len(sent()) == 1


def test_a_download_needs_a_valid_login(page: Page, prod_url) -> None:
    carry_cookie(page, prod_url, COOKIE_SECRET)
    page.goto(f"{prod_url}/message_groups")
    give_reason(page, "Why do you open all conversations")
    with page.expect_download() as downloading:
        page.get_by_role("button", name="CSV").click()
    assert "Andrew Brown" in downloading.value.path().read_text()
    # Its address works once, and none works without a valid login.
    path = urlsplit(downloading.value.url).path
    cookies = {c["name"]: c["value"] for c in page.context.cookies()}
    cookie = f"{COOKIE}={cookies[COOKIE]}"
    assert status(prod_url, path) == 403
    assert status(prod_url, path, Cookie=cookie) == 404
    page.evaluate(f"async () => {{ {LOG_OUT} }}")
    assert status(prod_url, path, Cookie=cookie) == 403


def test_a_page_elsewhere_cannot_log_a_person_out(page: Page, prod_url) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}
    assert status(prod_url, "/auth/logout", **headers) == 403
    assert status(prod_url, "/auth/login", **headers) == 403


def test_a_request_cannot_control_the_terminal(prod_url, log) -> None:
    text = "\x1b[31mred\x9b2J\u202eleft\u2066\r\nforged line\x07"
    query = urlencode({"error": f"denied{text}", "error_description": text, "state": "x"})
    assert status(prod_url, f"/oauth2callback?{query}") in (302, 307)
    lines = [line for line in log.read_text().split("\n") if "denied" in line]
    assert len(lines) == 1
    assert "forged line" in lines[0]  # on the same line
    assert lines[0].isprintable()
