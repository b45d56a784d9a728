"""The README names every script of the last Cruddur: what covers it, or that it is out of scope."""

from __future__ import annotations

from fnmatch import fnmatch

from .pages import PAGES

SCRIPTS = {
    "avatar": "build clear upload",
    "backend": "build connect create-service deploy",
    ".": "bootstrap prepare",
    "cfn": "cicd-deploy cluster-deploy db db-deploy ddb-deploy frontend machineuser networking"
    " networking-deploy service service-deploy sync",
    "cognito": "list-users",
    "db": "connect create drop kill-all migrate rollback schema-load seed session setup"
    " update_cognito_user_ids",
    "ddb": "drop list-tables patterns/get-conversation patterns/list-conversations scan schema-load"
    " seed",
    "docker": "build/backend-flask-prod build/frontend-react-js-prod run/backend-flask-prod",
    "ecr": "login",
    "ecs": "force-deploy-frontend-react-js",
    "frontend": "build generate-env static-build sync",
    "generate": "migration",
    "rds": "update-sg-rule",
    "sam": "ddb/build ddb/deploy ddb/package",
    "serverless": "clear upload",
}


def test_the_readme_names_each_of_them() -> None:
    (readme,) = (page for page in PAGES if page.name == "README.md")
    named = [span for span in readme.spans() if span.startswith("bin/")]
    scripts = [
        f"bin/{folder}/{name}".replace("/./", "/")
        for folder, names in SCRIPTS.items()
        for name in names.split()
    ]
    assert [
        script for script in scripts if not any(fnmatch(script, pattern) for pattern in named)
    ] == []
