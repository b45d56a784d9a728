"""Pages of a query or scan: one in memory."""

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
