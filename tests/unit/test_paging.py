"""All pages of a query, also where a page has no items."""

from __future__ import annotations

from typing import Any

from core.dynamodb.paging import pages


def test_a_page_that_a_filter_has_left_empty_is_not_the_end() -> None:
    replies: dict[str, dict[str, Any]] = {
        "": {"Items": ["first"], "LastEvaluatedKey": "a"},
        "a": {"Items": [], "LastEvaluatedKey": "b"},
        "b": {"Items": ["last"]},
    }

    def request(_: str, **params: str) -> dict[str, Any]:
        return replies[params.get("ExclusiveStartKey", "")]

    read = [item for page in pages(request, "query") for item in page["Items"]]
    assert read == ["first", "last"]
