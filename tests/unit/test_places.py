"""The folder of the data: the checkout, or where the platform keeps a user's data."""

from __future__ import annotations

from pathlib import Path

import pytest

from core import places


def test_a_checkout_keeps_its_data_in_itself(tmp_path) -> None:
    (tmp_path / "pyproject.toml").touch()
    assert places.data_folder({"XDG_DATA_HOME": "/elsewhere"}, tmp_path) == tmp_path


@pytest.mark.parametrize(
    ("platform", "environ", "expected"),
    [
        ("linux", {}, "HOME/.local/share/cruddur-ops"),
        ("linux", {"XDG_DATA_HOME": "/data"}, "/data/cruddur-ops"),
        # The specification tells programs to ignore such a value.
        ("linux", {"XDG_DATA_HOME": "data"}, "HOME/.local/share/cruddur-ops"),
        ("linux", {"XDG_DATA_HOME": ""}, "HOME/.local/share/cruddur-ops"),
        ("darwin", {"XDG_DATA_HOME": "/data"}, "HOME/Library/Application Support/cruddur-ops"),
    ],
)
def test_an_installation_keeps_its_data_where_the_platform_does(
    monkeypatch, tmp_path, platform, environ, expected
) -> None:
    monkeypatch.setattr("sys.platform", platform)
    monkeypatch.setenv("HOME", "/home/o")
    folder = places.data_folder(environ, tmp_path)
    assert folder == Path(expected.replace("HOME", "/home/o"))
