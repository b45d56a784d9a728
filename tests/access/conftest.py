"""Fixtures: the places and the bench of the matrix, and the file to print it in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st

from .matrix import Bench
from .places import Places, places_on
from .running import NEEDS


@pytest.fixture(scope="session")
def places(engines_folder, databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    with places_on(engines_folder, databases, tmp_path_factory.mktemp("places")) as places:
        yield places


@pytest.fixture
def bench(places: Places, installed_components, tmp_path: Path) -> Iterator[Bench]:
    with NEEDS.wrapped():
        yield Bench(places, tmp_path)
    st.cache_resource.clear()
    st.cache_data.clear()


@pytest.fixture(scope="session")
def matrix_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file in which the whole matrix is printed, by every process that shares the tests."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if base.name.startswith("popen-") else base) / "access-matrix.txt"
