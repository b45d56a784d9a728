"""For an unknown handle, similar handles are suggested; a seed is never suggested on production."""

from __future__ import annotations

import pytest

LIST = "ddb.patterns.list-conversations"


@pytest.fixture
def prod_env(seeded: dict[str, str]) -> dict[str, str]:
    """The same stores, as production."""
    return {
        "PROD_CONNECTION_URL": seeded["CONNECTION_URL"],
        "PROD_AWS_ENDPOINT_URL": seeded["AWS_ENDPOINT_URL"],
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "DDB_MESSAGE_TABLE": seeded["DDB_MESSAGE_TABLE"],
    }


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        ("Bayko", "There is no user with the handle 'Bayko'. Did you mean bayko?"),
        ("@byako", "There is no user with the handle 'byako'. Did you mean bayko?"),
        ("nosuch", "There is no user with the handle 'nosuch'. Check how it is spelled."),
    ],
)
def test_a_mistyped_handle_is_one_line_on_every_target(
    run_invoke, seeded, prod_env, typed, line
) -> None:
    for prod, env in (((), seeded), (("--prod",), prod_env)):
        result = run_invoke(LIST, "--user", typed, *prod, env=env)
        assert result.returncode == 1
        assert result.stderr.splitlines()[1:] == [line]


def test_an_empty_local_database_suggests_the_demo_users(
    run_invoke, postgres_env, table_env
) -> None:
    env = table_env | postgres_env
    for task in ("db.create", "db.schema-load"):
        assert run_invoke(task, env=env).returncode == 0
    result = run_invoke(LIST, "--user", "bayko", env=env)
    assert "For the demo users run: invoke db.seed" in result.stderr
