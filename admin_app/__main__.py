"""The admin UI's server, as ``invoke admin`` starts it, until Ctrl-C.

python -m admin_app --port PORT [--address ADDRESS] [--url URL | --forwarded URL]
                    [--browser] [--program PROGRAM] [--record DESCRIPTOR]
                    [-- [--prod | --target NAME] [--profile NAME] [--region NAME] [--write]]
"""

from __future__ import annotations

import argparse
import shlex
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterable
from typing import Any

from admin_app import log_lines, server_answer, server_settings
from core import interrupts
from core.commands import Command, call_program, option, program
from core.engines import processes
from core.errors import CoreError, SettingsError, UsageError
from core.origins import Addresses, parse_url
from core.parts import naming_missing_packages
from core.settings import Settings


def main() -> None:
    """Serve until Ctrl-C. On a failure, print one line and return a status other than 0."""
    log_lines.install()
    try:
        with naming_missing_packages():
            serve(*read_options(sys.argv[1:]))
    except KeyboardInterrupt:
        interrupts.end_at_the_next()
    except CoreError as error:
        options = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else []
        line = error.line(shlex.join(word for word in options if word != "--write"))
        line = log_lines.plain(line)
        print(f"error: {line}", file=sys.stderr)  # noqa: T201
        server_answer.print_failed(line)
        raise SystemExit(error.exit_code) from None


def read_options(arguments: list[str]) -> tuple[Addresses, list[str], bool]:
    """Where to listen, the options after ``--``, which are for the pages, and ``--browser``."""
    for_server, for_pages = arguments, []
    if "--" in arguments:
        separator = arguments.index("--")
        for_server, for_pages = arguments[:separator], arguments[separator + 1 :]
    parser = argparse.ArgumentParser(prog="python -m admin_app")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--address", default="127.0.0.1")
    parser.add_argument("--url")
    parser.add_argument("--forwarded")
    parser.add_argument("--browser", action="store_true")
    parser.add_argument("--program", default=program(), help="What the user typed to start this.")
    parser.add_argument("--record", type=int, help="The file of the answer for a program.")
    options = parser.parse_args(for_server)
    call_program(options.program)
    server_answer.keep(options.record)
    addresses = Addresses(
        port=options.port,
        address=options.address,
        url=parse_url(options.url, "--url") if options.url else None,
        forwarded=parse_url(options.forwarded, "--forwarded") if options.forwarded else None,
    )
    return addresses, for_pages, options.browser


def serve(addresses: Addresses, for_pages: list[str], browser: bool) -> None:
    """Check the requirements, then run the pages' server, and open a ``browser`` on it."""
    secrets_files = server_settings.secrets_files(Settings.from_env().login_files)
    server_settings.replace_variables()  # before Streamlit reads one
    settings = _load(server_settings.server_settings(addresses) | secrets_files)
    if not addresses.is_loopback and addresses.url is None:
        raise UsageError(f"--address {addresses.address} needs --url", "Give both.")
    if addresses.url is not None:
        _require_login(addresses)
    if not processes.is_free(addresses.port, addresses.address):
        raise SettingsError(
            f"Could not listen on {addresses.address}, port {addresses.port}",
            "Choose another port, or an address of this machine.",
        )
    from admin_app.server import make_app

    shown = str(addresses.url or addresses.forwarded or f"http://127.0.0.1:{addresses.port}")
    line = f"The admin UI is at {shown} (Ctrl-C ends it)"
    if not server_answer.is_kept():
        print(line, flush=True)  # noqa: T201
    actions: list[Callable[[], object]] = [
        lambda: server_answer.print_serving(line, shown, addresses.port)
    ]
    actions += [lambda: webbrowser.open(shown)] if browser else []
    threading.Thread(target=_once_it_listens, args=(addresses, actions), daemon=True).start()
    sys.argv = [sys.argv[0], *for_pages]
    make_app(addresses).run(config=settings)


def _once_it_listens(addresses: Addresses, actions: Iterable[Callable[[], object]]) -> None:
    """Do ``actions`` as soon as the server listens."""
    port, address = addresses.port, addresses.address
    if processes.wait_until(lambda: not processes.is_free(port, address), timeout_s=60):
        for action in actions:
            action()


def _load(settings: dict[str, Any]) -> dict[str, Any]:
    """Pass Streamlit its settings and secrets; return the settings that this version knows.

    Raises:
        SettingsError: one of its files cannot be read.
    """
    from streamlit import config
    from streamlit.errors import Error
    from streamlit.web import bootstrap

    from admin_app import login

    names = config._config_options_template
    known = {name: value for name, value in settings.items() if name in names}
    try:
        bootstrap.load_config_options(known)
    except (OSError, ValueError, RuntimeError, Error) as error:
        raise SettingsError(
            f"Could not read Streamlit's config.toml: {error}", "Fix the file or remove it."
        ) from error
    login.read_settings()
    return known


def _require_login(addresses: Addresses) -> None:
    """Raise unless a login is configured that returns to ``--url``."""
    from admin_app import login

    if missing := login.missing_settings():
        raise SettingsError(
            f"--url needs a login, but {', '.join(missing)} is missing in the settings",
            "Run",
            Command("configure-login", (option("--url", str(addresses.url)),)),
        )
    if (home := login.home()) != str(addresses.url):
        raise SettingsError(
            f"The login returns to {home}, not to {addresses.url}",
            "Run",
            Command("configure-login", (option("--url", str(addresses.url)),)),
        )


if __name__ == "__main__":
    main()
