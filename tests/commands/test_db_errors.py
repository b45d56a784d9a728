"""Every error of every db task is one line that says what to do next."""

import pytest

TASKS = ["create", "drop", "schema-load", "seed", "sessions", "setup"]


@pytest.mark.parametrize("task", TASKS)
def test_a_server_that_is_down_is_one_line(run_invoke, task) -> None:
    env = {"CONNECTION_URL": "postgresql://u:hunter2@127.0.0.1:1/cruddur"}
    result = run_invoke(f"db.{task}", env=env)
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        "target: local · Postgres cruddur at 127.0.0.1:1 as u",
        "Postgres does not answer at 127.0.0.1:1 (Connection refused)."
        " Is it running? For the embedded engines run: invoke up",
    ]
    assert result.returncode == 1


@pytest.mark.parametrize("task", [*TASKS, "connect"])
def test_a_url_that_cannot_be_read_is_one_line_without_the_password(run_invoke, task) -> None:
    result = run_invoke(f"db.{task}", env={"CONNECTION_URL": "postgresql://u:hun@ter2@h/d"})
    assert len(result.stderr.splitlines()) == 1
    assert "CONNECTION_URL" in result.stderr
    assert "ter2" not in result.stderr
    assert result.returncode == 1


@pytest.mark.parametrize(
    ("option", "error"),
    [
        ("sslmode=bogus", 'invalid sslmode value: "bogus"'),
        ("service=nope", 'definition of service "nope" not found'),
    ],
)
def test_an_invalid_option_is_not_reported_as_a_server_that_is_down(
    run_invoke, option, error
) -> None:
    result = run_invoke("db.seed", env={"CONNECTION_URL": f"postgresql://u@127.0.0.1:1/d?{option}"})
    assert result.stderr.splitlines()[-1] == (
        f"Could not connect: {error}. Check {option} of CONNECTION_URL."
    )
    assert result.returncode == 1


def test_prod_without_a_url_names_the_variable(run_invoke) -> None:
    result = run_invoke("db.create", "--prod")
    assert "PROD_CONNECTION_URL" in result.stderr
    assert result.returncode == 1


def test_tasks_for_different_targets_are_refused_before_anything_runs(run_invoke) -> None:
    result = run_invoke("db.drop", "db.seed", "--prod")
    assert "different targets" in result.stderr
    assert result.returncode == 2
