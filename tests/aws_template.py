"""The template of the table and its stream function, as its tests read it."""

from __future__ import annotations

from typing import Any

import yaml

from core.settings import PROJECT_ROOT

TEMPLATE = PROJECT_ROOT / "aws" / "template.yaml"


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's own tags as they are."""


def _value(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node)
    return f"{tag} {node.value}"


_Loader.add_multi_constructor("!", _value)


def template() -> dict[str, Any]:
    """All of it; ``!Ref Messages`` reads as ``"Ref Messages"``, ``!If [a, b, c]`` as its list."""
    return _Loader(TEMPLATE.read_text()).get_single_data()
