"""Settings of the account, of libpq and of the AWS SDK that must not change a local run."""

from __future__ import annotations

import subprocess
import sys

import pytest

from commands.conftest import hermetic_environment
from core.settings import PROJECT_ROOT

LIBPQ = {
    "PGSSLMODE": "require",
    "PGREQUIREAUTH": "password",
    "PGGSSENCMODE": "require",
    "PGCHANNELBINDING": "require",
    "PGOPTIONS": "-c no_such_setting=1",
    "PGSERVICE": "no-such-service",
    "PGTARGETSESSIONATTRS": "read-only",
    "PGSSLNEGOTIATION": "direct",
    "PGHOSTADDR": "192.0.2.1",
    "PGDATESTYLE": "German",
    "PGTZ": "nowhere",
}
"""Each of them alone stops a connection to the embedded Postgres, or spoils what it answers."""


def test_libpq_s_variables_do_not_change_the_embedded_engine_s_connection(
    run_invoke, engines_folder
) -> None:
    env = LIBPQ | {"CRUDDUR_ENGINES_DIR": str(engines_folder)}
    result = run_invoke("--dry", "db.create", env=env)  # asks the server whether it is there
    assert (result.returncode, "CREATE DATABASE" in result.stdout) == (0, True), result.stderr


def test_a_local_run_needs_no_aws_files(run_invoke, table_env, tmp_path) -> None:
    (tmp_path / "broken").write_text("[not a config file\n")
    env = table_env | {
        "AWS_CONFIG_FILE": str(tmp_path / "broken"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "broken"),
        "AWS_DEFAULTS_MODE": "no such mode",
        "AWS_REQUEST_CHECKSUM_CALCULATION": "no such calculation",
        "AWS_MAX_ATTEMPTS": "many",
        "AWS_PROFILE": "no such profile",
    }
    result = run_invoke("ddb.scan", env=env)
    assert (result.returncode, "ENV#" in result.stdout) == (0, True), result.stderr


@pytest.mark.parametrize("color", [{"FORCE_COLOR": "1", "NO_COLOR": "1"}, {"TTY_COMPATIBLE": "1"}])
def test_a_pipe_gets_no_escape_sequences(run_invoke, postgres_env, color) -> None:
    run_invoke("db.create", env=postgres_env)
    result = run_invoke("db.sessions", env=postgres_env | color)
    assert ("database" in result.stdout, "\x1b" in result.stdout + result.stderr) == (True, False)


def test_another_package_called_core_and_a_person_s_invoke_settings_change_nothing(
    tmp_path,
) -> None:
    for name in ("core", "task_groups", "admin_app"):
        (tmp_path / "other" / name).mkdir(parents=True)
        (tmp_path / "other" / name / "__init__.py").touch()
    (tmp_path / ".invoke.yaml").write_text("tasks:\n  auto_dash_names: false\n")
    # From a subfolder: the project's own folder is on the path later than PYTHONPATH.
    result = subprocess.run(
        [sys.executable, "-m", "invoke", "--help", "db.schema-load"],
        cwd=PROJECT_ROOT / "docs",
        env=hermetic_environment(tmp_path) | {"PYTHONPATH": str(tmp_path / "other")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")


def test_a_dry_run_that_a_variable_asks_for_is_one_for_the_stores_as_well(
    run_invoke, postgres_env
) -> None:
    created = run_invoke("db.create", env=postgres_env | {"INVOKE_RUN_DRY": "1"})
    assert "CREATE DATABASE" in created.stdout
    assert run_invoke("db.create", env=postgres_env).stdout.startswith("created the database")


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("a.yaml", "tasks: [", "line 1: "),
        ("a.yml", "just text", "it is not a mapping of names to settings"),
        ("a.json", '{"a":', "line 1: Expecting value"),
        ("a.py", "x = (", "line 1: '(' was never closed"),
        ("a.yaml", "run: 5", "AmbiguousMergeError: "),
        ("a.txt", "", "its name must end with .yaml, .yml, .json or .py"),
        ("a.yaml", "\x80", "UnicodeDecodeError: "),
    ],
)
def test_a_file_of_invoke_s_that_cannot_be_read_is_one_line(
    run_invoke, tmp_path, name, text, reason
) -> None:
    (tmp_path / name).write_text(text, "latin-1")
    result = run_invoke("-f", str(tmp_path / name), "status")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith(f"Could not read {tmp_path / name}: {reason}")
    assert result.stderr.endswith(". Fix the file or remove it.\n")
    assert len(result.stderr.splitlines()) == 1
