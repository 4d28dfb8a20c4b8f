"""What the README of an archive asks to cite is what the documentation names."""

from __future__ import annotations

from pathlib import Path

import pytest

from aiida_ion.archives.citations import CITATIONS, citations

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "citations.md").read_text()


@pytest.mark.parametrize("citation", CITATIONS, ids=lambda citation: citation.part)
def test_every_paper_stands_in_the_project(citation: object) -> None:
    assert all(paper in PAGE for paper in citation.papers)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("said", "parts"),
    [
        ([], {"AiiDA"}),
        (["kinisi", "SevenNet 7net-0", "ase"], {"AiiDA", "kinisi (diffusion)", "SevenNet", "ASE"}),
        (["pw.x", "QE PBEsol"], {"AiiDA", "Quantum ESPRESSO, and its pseudopotentials"}),
        (["a phase of VASPery"], {"AiiDA"}),
    ],
)
def test_only_what_was_used_is_cited(said: list[str], parts: set[str]) -> None:
    assert {citation.part for citation in citations(said)} == parts
