"""What the server adds to Streamlit's page."""

from __future__ import annotations

import re
from pathlib import Path

import streamlit as st

from admin_app import page_head, scripts

STATIC = Path(st.__file__).parent / "static"
PAGE = (STATIC / "index.html").read_bytes()


def test_the_first_elements_scripts_and_all_that_they_import_are_preloaded() -> None:
    page = page_head.extended(PAGE).decode()
    linked = set(re.findall(r'href="\.?/static/js/([\w.-]+)"', page))
    linked |= set(re.findall(r'src="\.?/static/js/([\w.-]+)"', page))
    assert any(name.startswith("BidiComponent.") for name in linked)
    for name in linked:
        text = (STATIC / "static" / "js" / name).read_text(encoding="utf-8")
        imported = re.findall(r'(?:from|import)\s*"\./([\w.-]+\.js)"', text)
        assert set(imported) <= linked, name


def test_the_own_scripts_of_the_first_page_are_preloaded_with_all_that_they_import() -> None:
    page = page_head.extended(PAGE).decode()
    linked = re.findall(r'modulepreload" crossorigin href="/scripts/\w+/([\w.-]+)"', page)
    assert {"nav.js", "inbox.js", "thread.js"} <= set(linked)
    for name in linked:
        imported = re.findall(r'from "\./([\w.-]+)"', scripts.FILES[name].decode())
        assert set(imported) <= set(linked), name


def test_the_styles_come_last_and_the_rest_of_the_page_stays() -> None:
    page = page_head.extended(PAGE)
    assert re.search(rb"<style>[^<]+</style></body>\s*</html>\s*$", page)
    assert page.count(b"<title>") == 1
    assert len(page) > len(PAGE)
