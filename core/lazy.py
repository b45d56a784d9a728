"""Public names of a package that load their module when they are first used.

``invoke --list`` and the stream function's cold start import the packages, and must not pay for
what they do not use.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any


def loader(package: str, names: Mapping[str, Sequence[str]]) -> Callable[[str], Any]:
    """A module's ``__getattr__`` for ``names``, given by the module that defines them."""
    home = {name: module for module, listed in names.items() for name in listed}

    def load(name: str) -> Any:
        if name not in home:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{home[name]}"), name)

    return load
