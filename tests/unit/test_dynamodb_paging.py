"""Pages of a query or scan: one in memory, and all of them."""

from __future__ import annotations

import weakref
from types import SimpleNamespace
from typing import Any

from core.dynamodb import paging


class Page(dict[str, Any]):
    """A response that a weak reference can watch."""


def test_a_page_is_gone_before_the_next_is_requested() -> None:
    watched: list[weakref.ref[Page]] = []
    still_there: list[int] = []

    def request(_: str, **params: Any) -> Page:
        still_there.append(sum(reference() is not None for reference in watched))
        number = params.get("ExclusiveStartKey", 0)
        page = Page(Items=[{"sk": {"S": str(number)}}] * 2)
        if number < 3:
            page["LastEvaluatedKey"] = number + 1
        watched.append(weakref.ref(page))
        return page

    table: Any = SimpleNamespace(request=request)
    assert [item["sk"]["S"] for item in paging.items(table, "scan")] == [*"00112233"]
    assert still_there == [0, 0, 0, 0]


def test_a_page_that_a_filter_has_left_empty_is_not_the_end() -> None:
    replies: dict[str, dict[str, Any]] = {
        "": {"Items": ["first"], "LastEvaluatedKey": "a"},
        "a": {"Items": [], "LastEvaluatedKey": "b"},
        "b": {"Items": ["last"]},
    }

    def request(_: str, **params: str) -> dict[str, Any]:
        return replies[params.get("ExclusiveStartKey", "")]

    read = [item for page in paging.pages(request, "query") for item in page["Items"]]
    assert read == ["first", "last"]


def test_every_page_has_a_limit_for_an_engine_that_would_look_at_all_that_is_left() -> None:
    limits: list[int] = []

    def request(_: str, **params: Any) -> dict[str, Any]:
        limits.append(params["Limit"])
        return {"Items": [], **({} if "ExclusiveStartKey" in params else {"LastEvaluatedKey": "a"})}

    list(paging.pages(request, "scan"))
    list(paging.pages(request, "query", Limit=7))
    assert limits == [5_000, 5_000, 7, 7]
