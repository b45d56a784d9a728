"""Messages per hour and per day, as bars and as a table."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import streamlit as st

from admin_app import access, login, tables
from admin_app.store import background_work, progress
from admin_app.store.background_work import Count

COUNT = "count"
_COLOR = "#7059e8"
"""Visible on the background in both themes."""
_RANGES = ("24 hours", "48 hours", "30 days")


def show(items: int, cost: str) -> None:
    """Show the count of a table with ``items`` items: on demand, after showing its ``cost``."""
    st.caption(cost)
    work = background_work.count_messages(access.desk())
    progress.button("Count the messages", COUNT, work, expected=items, icon=":material/bar_chart:")
    count = progress.outcome(COUNT)
    if isinstance(count, Count):
        _figures(count)


@st.fragment
@login.required
def _figures(result: Count) -> None:
    if not result.is_complete:
        seen = result.counts.looked_at
        st.warning(
            f"Stopped after {seen:,} items: there may be more messages.", icon=":material/warning:"
        )
    chosen = st.segmented_control(
        "Range", _RANGES, default=_RANGES[0], required=True, label_visibility="collapsed"
    )
    unit = str(chosen).split()[1].removesuffix("s")
    number = int(str(chosen).split()[0])
    spread = result.counts.days if unit == "day" else result.counts.hours
    buckets = spread(result.until, number)
    summary = f"{sum(buckets.values()):,} messages in the last {chosen}, per {unit} of UTC."
    st.write(f"{summary} The last {unit} is not over yet.")
    rows = [{"start": start.isoformat(), "messages": count} for start, count in buckets.items()]
    st.vega_lite_chart(rows, _bars(unit, buckets), alt=f"{summary} The figures are in the table.")
    with st.expander("As a table"):
        tables.table(
            (f"{unit.capitalize()} (UTC)", "Messages"),
            [(_label(start, unit), f"{count:,}") for start, count in buckets.items() if count],
        )
        st.caption(f"A {unit} that is not listed had no messages.")


def _label(start: datetime, unit: str) -> str:
    return f"{start:%a %-d %b %Y}" if unit == "day" else f"{start:%a %-d %b, %H:%M}"


def _utc(instant: datetime) -> dict[str, Any]:
    names = ("year", "month", "date", "hours")
    values = (instant.year, instant.month, instant.day, instant.hour)
    return {**dict(zip(names, values, strict=True)), "utc": True}


def _bars(unit: str, buckets: Mapping[datetime, int]) -> dict[str, Any]:
    """Show a bar for each hour or day of UTC, whatever the browser's time zone is.

    The scales are set, because a chart that is drawn before its data arrives would log a warning.
    """
    ends_at = max(buckets) + timedelta(**{f"{unit}s": 1})
    time_unit = "utcyearmonthdate" if unit == "day" else "utcyearmonthdatehours"
    shown = "%-d %b" if unit == "day" else "%a %H:%M"
    return {
        "height": 260,
        "mark": {"type": "bar", "tooltip": True, "color": _COLOR},
        "encoding": {
            "x": {
                "field": "start",
                "type": "temporal",
                "timeUnit": time_unit,
                "title": None,
                "scale": {"domain": [_utc(min(buckets)), _utc(ends_at)]},
                "axis": {"format": shown, "labelOverlap": True, "grid": False},
            },
            "y": {
                "field": "messages",
                "type": "quantitative",
                "title": f"messages per {unit}",
                "scale": {"domain": [0, max(*buckets.values(), 1)]},
                "axis": {"format": ",d", "tickMinStep": 1},
            },
            "tooltip": [
                {
                    "field": "start",
                    "type": "temporal",
                    "timeUnit": time_unit,
                    "format": shown,
                    "title": "UTC",
                },
                {"field": "messages", "type": "quantitative", "format": ","},
            ],
        },
    }
