"""invoke db.create"""


def test_it_creates_the_database_and_says_so(run_invoke, postgres_env, address) -> None:
    result = run_invoke("db.create", env=postgres_env)
    assert result.stdout == f"created the database {address.dbname}\n"
    assert result.stderr == f"target: local · Postgres {address.describe()}\n"
    assert result.returncode == 0


def test_an_existing_database_is_reported_and_no_failure(run_invoke, postgres_env, address) -> None:
    run_invoke("db.create", env=postgres_env)
    again = run_invoke("db.create", env=postgres_env)
    assert again.stdout == f"The database {address.dbname} already exists\n"
    assert again.returncode == 0


def test_a_dry_run_prints_the_statement_and_creates_nothing(
    run_invoke, postgres_env, address
) -> None:
    result = run_invoke("--dry", "db.create", env=postgres_env)
    assert f'CREATE DATABASE "{address.dbname}"' in result.stdout
    assert "created" in run_invoke("db.create", env=postgres_env).stdout


def test_prod_goes_to_the_production_url_only(run_invoke, postgres_env, address) -> None:
    elsewhere = {
        "CONNECTION_URL": "postgresql://u@127.0.0.1:1/local",
        "PROD_CONNECTION_URL": postgres_env["CONNECTION_URL"],
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
    }
    result = run_invoke("db.create", "--prod", env=elsewhere)
    assert f"target: production · Postgres {address.describe()}" in result.stderr
    assert result.stdout == f"created the database {address.dbname}\n"
    assert result.returncode == 0
