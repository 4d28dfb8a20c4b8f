"""Links, words and pictures of the pages."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from tests.docs.reading import DOCS, PAGES, ROOT, anchors, prose


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_resolve(page: Path) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(target)
    assert not broken, f"{page.name}: {broken}"


def test_every_page_can_be_reached_from_the_index() -> None:
    linked = {(DOCS / target).resolve() for target in re.findall(r"\]\(([^)#\s]+\.md)\)", prose(DOCS / "index.md"))}
    assert set(DOCS.rglob("*.md")) - {DOCS / "index.md"} <= linked


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_speaks_of_no_machine(page: Path) -> None:
    words = re.findall(r"/(?:tmp|root)/|TODO|FIXME", page.read_text())
    assert not words, f"{page.name}: {words}"


def test_the_picture_is_the_one_that_its_script_draws() -> None:
    picture = DOCS / "overview.svg"
    assert picture.stat().st_size < 60_000
    assert runpy.run_path(str(DOCS / "overview.py"))["picture"]() == picture.read_text()
