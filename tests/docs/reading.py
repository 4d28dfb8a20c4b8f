"""The pages as the tests read them: blocks, commands, sections, tables."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
GROUPS = ("aiida.workflows", "aiida.calculations", "aiida.parsers")
SHELLS = ("console", "bash", "shell")
RUNNABLE = "<!-- runnable -->"
#: Ports that every process has from AiiDA, and that the page on ports leaves out.
INHERITED_INPUTS = {"metadata", "code", "monitors", "remote_folder", "clean_workdir", "handler_overrides"}
INHERITED_INPUTS |= {"on_unhandled_failure", "pause_on_max_iterations"}
INHERITED_OUTPUTS = {"remote_folder", "remote_stash", "retrieved"}


class Block(NamedTuple):
    """A fenced block: its page, first line, language, text, and whether it is marked as runnable."""

    page: Path
    line: int
    language: str
    text: str
    runnable: bool

    @property
    def where(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(*languages: str) -> list[Block]:
    """Return the fenced blocks of all pages in some languages."""
    results = []
    for page in PAGES:
        lines = page.read_text().splitlines()
        start, language = 0, None
        for number, line in enumerate(lines):
            if not line.lstrip().startswith("```"):
                continue
            if language is None:
                start, language = number, line.strip().removeprefix("```")
                continue
            if language in languages:
                marked = start > 0 and lines[start - 1].strip() == RUNNABLE
                text = "\n".join(lines[start + 1 : number]) + "\n"
                results.append(Block(page, start + 1, language, text, marked))
            language = None
    return results


def prose(page: Path) -> str:
    """Return a page without its fenced blocks."""
    return re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)


def commands(program: str) -> Iterator[tuple[str, list[str]]]:
    """Yield where a program is called in the shell blocks, and its arguments."""
    for block in blocks(*SHELLS):
        for line in block.text.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words and words[0] == program:
                yield block.where, words[1:]


def section(page: Path, heading: str) -> str:
    """Return the text below a heading up to the next of its level or above."""
    level = len(heading) - len(heading.lstrip("#"))
    after = page.read_text().partition(f"\n{heading}\n")[2]
    assert after, f"{page.name} has no heading {heading!r}"
    return re.split(rf"^#{{1,{level}}} ", after, maxsplit=1, flags=re.MULTILINE)[0]


def tables(text: str) -> list[list[dict[str, str]]]:
    """Return the tables of a text: rows as mappings from heading to cell, back quotes taken off."""
    results = []
    for raw in re.findall(r"(?:^\|.*\n?)+", text, flags=re.MULTILINE):
        rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in raw.strip().splitlines()]
        results.append([dict(zip(rows[0], row, strict=True)) for row in rows[2:]])
    return results


def names(cell: str) -> list[str]:
    """Return what stands in back quotes in a cell."""
    return re.findall(r"`([^`]+)`", cell)


def slug(heading: str) -> str:
    """Return the anchor of a heading as GitHub makes it."""
    text = re.sub(r"[`*]|\[([^]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def anchors(page: Path) -> set[str]:
    """Return the anchors of the headings of a page."""
    return {slug(heading) for heading in re.findall(r"^#+ (.*)$", prose(page), flags=re.MULTILINE)}
