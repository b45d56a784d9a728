"""The settings, as data: one field each, with its variable's name, default and help.

``Settings.from_env`` is the only reader of the environment. Nothing is required: with nothing
set, everything runs locally, on the embedded engines.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Mapping, Set
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING

from core import places
from core.errors import SettingsError
from core.places import PROJECT_ROOT as PROJECT_ROOT

if TYPE_CHECKING:
    from dotenv.parser import Binding

_OWN_MIGRATIONS = "sql/migrations"


def _setting(*names: str, help: str, default: str | None = None, secret: bool = False):  # type: ignore[no-untyped-def]
    """Declare a setting. The first of ``names`` that is set wins."""
    metadata = {"names": names, "help": help, "secret": secret}
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True, repr=False)
class Settings:
    """The values of the settings. An empty variable counts as unset."""

    connection_url: str | None = _setting(
        "CONNECTION_URL",
        secret=True,
        help="Postgres of the local target, as a URL. Unset: the embedded Postgres.",
    )
    prod_connection_url: str | None = _setting(
        "PROD_CONNECTION_URL",
        secret=True,
        help="Postgres of the production target, as a URL. Used with `--prod` only.",
    )
    prod_ca_bundle: str | None = _setting(
        "PROD_CONNECTION_CA_BUNDLE",
        help="File of the certificates that verify production's Postgres. Unset:"
        " `global-bundle.pem` in the checkout or your home for RDS, the system's own for others.",
    )
    prod_connection_iam: str | None = _setting(
        "PROD_CONNECTION_IAM",
        help="`1`: production's Postgres password is an IAM token, made for each connection.",
    )
    prod_secret_arn: str | None = _setting(
        "PROD_CONNECTION_SECRET_ARN",
        help="The Secrets Manager secret that holds production's Postgres password.",
    )
    endpoint_url: str | None = _setting(
        "AWS_ENDPOINT_URL_DYNAMODB",
        "AWS_ENDPOINT_URL",
        help="DynamoDB endpoint of the local target. Unset: the embedded engine."
        " `--prod` ignores it.",
    )
    aws_endpoint_url: str | None = _setting(
        "AWS_ENDPOINT_URL",
        help="Endpoint of every AWS service of the local target (Cognito, EC2, and DynamoDB"
        " unless it has its own). Unset: the embedded engine. `--prod` ignores it.",
    )
    prod_endpoint_url: str | None = _setting(
        "PROD_AWS_ENDPOINT_URL",
        help="Endpoint that `--prod` uses in place of AWS's own: for VPC endpoints and tests.",
    )
    region: str | None = _setting(
        "AWS_DEFAULT_REGION",
        "AWS_REGION",
        help="AWS region. Unset: `us-east-1` locally; the AWS profile's region with `--prod`.",
    )
    access_key_id: str | None = _setting(
        "AWS_ACCESS_KEY_ID",
        secret=True,
        help="Unset: the AWS SDK finds credentials. Locally they are sent only to an endpoint you"
        " set yourself; the embedded engine gets a placeholder.",
    )
    secret_access_key: str | None = _setting(
        "AWS_SECRET_ACCESS_KEY", secret=True, help="Goes with `AWS_ACCESS_KEY_ID`."
    )
    session_token: str | None = _setting(
        "AWS_SESSION_TOKEN", secret=True, help="Goes with temporary credentials."
    )
    profile: str | None = _setting(
        "AWS_DEFAULT_PROFILE",
        "AWS_PROFILE",
        help="The AWS profile whose credentials and region `--prod` uses, as the AWS SDK does.",
    )
    table_name: str = _setting(
        "DDB_MESSAGE_TABLE",
        default="cruddur-messages",
        help="The DynamoDB table that holds the messages.",
    )
    user_pool_id: str | None = _setting(
        "AWS_COGNITO_USER_POOL_ID",
        "AWS_USER_POOLS_ID",
        help="The Cognito user pool whose users are listed and whose ids go into Postgres.",
    )
    security_group_id: str | None = _setting(
        "DB_SG_ID", help="The security group in front of RDS, for `rds.update-sg-rule`."
    )
    security_group_rule_id: str | None = _setting(
        "DB_SG_RULE_ID", help="The rule of that group to point at this machine's address."
    )
    postgres_port: str = _setting(
        "POSTGRES_PORT", default="5432", help="The port that the security group rule opens."
    )
    gitpod_ip: str | None = _setting(
        "GITPOD_IP", help="This machine's public IPv4 address. Unset: it is looked up over HTTPS."
    )
    user1_name: str | None = _setting(
        "user1_name", help="Display name of the first demo user. Set all three or none."
    )
    user1_email: str | None = _setting("user1_email", help="Email of the first demo user.")
    user1_username: str | None = _setting("user1_username", help="Handle of the first demo user.")
    user2_name: str | None = _setting(
        "user2_name", help="Display name of the second demo user. Set all three or none."
    )
    user2_email: str | None = _setting("user2_email", help="Email of the second demo user.")
    user2_username: str | None = _setting("user2_username", help="Handle of the second demo user.")
    admin_group: str = _setting(
        "CRUDDUR_ADMIN_GROUP",
        default="cruddur-operators",
        help="The identity provider's group that may use the admin UI where it takes a login.",
    )
    secrets_files: str | None = _setting(
        "STREAMLIT_SECRETS_FILES",
        help="File that describes the admin UI's login, instead of `.streamlit/secrets.toml`.",
    )
    gitpod_url: str | None = _setting(
        "GITPOD_WORKSPACE_URL",
        help="Set by Gitpod: the admin UI also accepts its forwarded address of that workspace.",
    )
    codespace_name: str | None = _setting(
        "CODESPACE_NAME",
        help="Set by GitHub Codespaces: the admin UI also accepts its forwarded address there.",
    )
    codespaces_domain: str = _setting(
        "GITHUB_CODESPACES_PORT_FORWARDING_DOMAIN",
        default="app.github.dev",
        help="Set by GitHub Codespaces: the domain of forwarded addresses.",
    )
    targets_file: str = _setting(
        "CRUDDUR_TARGETS_FILE",
        default="targets.toml",
        help="File of the targets that `--target NAME` chooses from, relative to the checkout.",
    )
    engines_dir: str = _setting(
        "CRUDDUR_ENGINES_DIR",
        default=".engines",
        help="Folder of the embedded engines' data, relative to the checkout.",
    )

    dynoxide: str | None = _setting(
        "DYNOXIDE",
        help="The program dynoxide, if it is not on PATH: the durable DynamoDB of `invoke up`.",
    )
    migrations_dir: str = _setting(
        "CRUDDUR_MIGRATIONS_DIR",
        default=_OWN_MIGRATIONS,
        help="Folder of the project's own migrations, relative to the checkout.",
    )
    audit_log: str | None = _setting(
        "CRUDDUR_AUDIT_LOG",
        help="The file of audit lines, mode 0600. Unset: `audit.jsonl` beside the engines' folder.",
    )
    reason: str | None = _setting(
        "CRUDDUR_REASON",
        help="Why you read users' data on production, for tasks that are given no `--reason`.",
    )
    auditor_group: str = _setting(
        "CRUDDUR_AUDITOR_GROUP",
        default="cruddur-auditors",
        help="The identity provider's group that may see the audit page of the admin UI where it"
        " takes a login.",
    )

    @classmethod
    def from_env(
        cls, environ: Mapping[str, str] | None = None, dotenv: Path | None = None
    ) -> Settings:
        """Settings from the environment, then from a ``.env`` file for what it leaves unset."""
        values_set = variables(environ, dotenv)
        values: dict[str, str] = {}
        for entry in fields(cls):
            for name in entry.metadata["names"]:
                if value := values_set.get(name, "").strip():
                    _check_value(name, value)
                    values[entry.name] = value
                    break
        return cls(**values)

    def __repr__(self) -> str:
        shown = (
            f"{entry.name}={'***' if entry.metadata['secret'] else getattr(self, entry.name)!r}"
            for entry in fields(self)
            if getattr(self, entry.name) is not None
        )
        return f"Settings({', '.join(shown)})"

    @property
    def engines_path(self) -> Path:
        return data_folder() / self.engines_dir

    @property
    def targets_path(self) -> Path:
        return data_folder() / self.targets_file

    @property
    def migrations_path(self) -> Path:
        is_own = self.migrations_dir == _OWN_MIGRATIONS
        return (PROJECT_ROOT if is_own else data_folder()) / self.migrations_dir

    @property
    def has_installed_migrations(self) -> bool:
        """Whether the migrations are files of an installation, which nobody should change."""
        return self.migrations_dir == _OWN_MIGRATIONS and not places.is_checkout()

    @property
    def login_files(self) -> str | None:
        """The files that describe the admin UI's login; None for those that Streamlit reads.

        A relative path begins at the data folder: Streamlit runs in the folder of the program.
        """
        if self.secrets_files:
            named = filter(None, self.secrets_files.split(os.pathsep))
            return os.pathsep.join(str(data_folder() / file) for file in named)
        if places.is_checkout():
            return None
        folders = (Path.home(), data_folder())
        return os.pathsep.join(str(folder / ".streamlit" / "secrets.toml") for folder in folders)

    @property
    def audit_path(self) -> Path:
        """The audit file."""
        if self.audit_log:
            return data_folder() / self.audit_log
        return self.engines_path.parent / "audit.jsonl"


_TOGETHER = (
    ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
    ("AWS_PROFILE", "AWS_DEFAULT_PROFILE"),
    ("AWS_REGION", "AWS_DEFAULT_REGION"),
)
"""Variables with one meaning: where the environment has one of them, ``.env`` adds none."""


def data_folder() -> Path:
    """The folder with ``.env`` and all data: the checkout, or a folder of the user's own."""
    return places.data_folder(os.environ)


def variables(
    environ: Mapping[str, str] | None = None, dotenv: Path | None = None
) -> dict[str, str]:
    """Every variable that is set, ours or not: the environment's, then what ``.env`` adds."""
    added = _read_dotenv(dotenv or data_folder() / ".env")
    known = environ if environ is not None else os.environ
    for names in _TOGETHER:
        if any(known.get(name) for name in names):
            for name in names:
                added.pop(name, None)
    return {**added, **known}


def may_style(environ: Mapping[str, str] | None = None) -> bool:
    """Whether a terminal may be sent colours and bold type: https://no-color.org"""
    values = os.environ if environ is None else environ
    return not values.get("NO_COLOR") and values.get("TERM") != "dumb"


def libpq_variables(environ: Mapping[str, str] | None = None) -> list[str]:
    """The variables that are set and that libpq reads: those whose names begin with ``PG``."""
    return sorted(
        name for name in (os.environ if environ is None else environ) if name.startswith("PG")
    )


def forget_libpq_variables() -> None:
    """Remove libpq's variables from this process, and so from the programs it starts.

    A connection string cannot override all of them: not PGSERVICE, for example, nor PGTZ.
    """
    for name in libpq_variables():
        del os.environ[name]


def _check_value(name: str, value: str) -> None:
    if "\0" in value:
        raise SettingsError(f"{name} contains a NUL character", "Set it again without it.")
    if "\n" in value or "\r" in value:
        raise SettingsError(
            f"{name} contains a line break", "Set it on one line. Is a closing quote missing?"
        )


_NAME = re.compile(r"[A-Za-z_][\w.-]*", re.ASCII)
_REFERENCE = re.compile(r"\$\{([^}:]*)\}")
"""``${NAME}``, without a default as in ``${NAME:-default}``."""


def _read_dotenv(path: Path) -> dict[str, str]:
    """The variables in the file; none if there is no file.

    Raises:
        SettingsError: it could not be read, or a line of it is not an assignment. The dotenv
            library would skip that line, and the run would continue with another target.
    """
    if not path.exists() and not path.is_symlink():
        return {}
    try:
        from dotenv import dotenv_values
        from dotenv.parser import parse_stream

        text = path.read_text("utf-8-sig")
        known = set(os.environ)
        for binding in parse_stream(io.StringIO(text)):
            if fault := _fault_of(binding, known):
                line = binding.original.line + _blank_lines(binding.original.string)
                raise SettingsError(f"{path}, line {line}: {fault[0]}", fault[1])
            known.add(binding.key or "")
        return {
            name: value or "" for name, value in dotenv_values(stream=io.StringIO(text)).items()
        }
    except ImportError as error:
        from core.parts import how_to_install

        raise SettingsError(
            f"Could not read {path}: python-dotenv is not installed", how_to_install()
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"Could not read {path}: {error}", "Fix the file or remove it."
        ) from error


def _fault_of(binding: Binding, known: Set[str]) -> tuple[str, str] | None:
    """What is wrong with a line, and what to do; None if nothing is.

    ``known`` are the variables that the line may refer to.
    """
    if binding.error or not _is_assignment(binding):
        return "This is not NAME=value", "Fix the line or remove it. Is a closing quote missing?"
    ours = {name for entry in fields(Settings) for name in entry.metadata["names"]}
    key = binding.key or ""
    if key not in ours and key.upper() in ours:
        return f"{key} is not a setting, but {key.upper()} is", "Write its name in capitals."
    if key in ours:
        for name in _REFERENCE.findall(binding.value or ""):
            if name not in known:  # the dotenv library would leave it out
                return f"{key} refers to {name}, which is not set", "Set it, or write its value."
    return None


def _is_assignment(binding: Binding) -> bool:
    """Whether it is one, a comment, or the bare name of a variable that is not ours."""
    if binding.key is None:
        return True
    ours = {name for entry in fields(Settings) for name in entry.metadata["names"]}
    if binding.value is None:
        return binding.key not in ours
    # A quote that is closed on a later line may swallow a setting.
    _, *swallowed = binding.value.split("\n")
    return _NAME.fullmatch(binding.key) is not None and not any(
        line.partition("=")[0].strip() in ours for line in swallowed
    )


def _blank_lines(text: str) -> int:
    """The number of lines before the first that is not blank."""
    return text[: len(text) - len(text.lstrip())].count("\n")
