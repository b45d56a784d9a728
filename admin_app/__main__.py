"""``streamlit run`` on the admin UI's server; Ctrl-C ends it without a complaint.

python -m admin_app [--server.port=PORT …] [-- [--prod] [--write]]
"""

from __future__ import annotations

import sys
from pathlib import Path

import click
from streamlit.web import cli

SERVER = Path(__file__).with_name("server.py")


def main() -> None:
    """Serve until Ctrl-C, which Streamlit would report as an aborted command, with status 1."""
    try:
        cli.main(["run", str(SERVER), *sys.argv[1:]], standalone_mode=False)
    except click.Abort:
        return
    except click.ClickException as error:
        error.show()
        raise SystemExit(error.exit_code) from None


if __name__ == "__main__":
    main()
