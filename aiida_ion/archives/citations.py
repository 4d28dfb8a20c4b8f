"""What to cite, from the versions of the jobs. The project's README has the same papers with their titles."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Citation(NamedTuple):
    """A component, the words in versions or levels of theory that indicate it, and its papers."""

    part: str
    words: tuple[str, ...]
    papers: tuple[str, ...]


DOI, ARXIV = "https://doi.org/", "https://arxiv.org/abs/"
ALWAYS = ("",)
CITATIONS = (
    Citation("AiiDA", ALWAYS, (f"{DOI}10.1038/s41597-020-00638-4", f"{DOI}10.1016/j.commatsci.2020.110086")),
    Citation("kinisi (diffusion)", ("kinisi",), (f"{DOI}10.1021/acs.jctc.4c01249", f"{DOI}10.21105/joss.05984")),
    Citation("GEMDAT (jumps)", ("gemdat",), (f"{DOI}10.1038/s41524-026-02133-7", f"{DOI}10.1021/acsaem.8b00457")),
    Citation("ASE", ("ase",), (f"{DOI}10.1088/1361-648X/aa680e",)),
    Citation("LAMMPS, and the paper of its potential", ("lammps",), (f"{DOI}10.1016/j.cpc.2021.108171",)),
    Citation(
        "Quantum ESPRESSO, and its pseudopotentials",
        ("pw.x", "quantumespresso", "qe"),
        (f"{DOI}10.1088/0953-8984/21/39/395502", f"{DOI}10.1088/1361-648X/aa8f79"),
    ),
    Citation("VASP", ("vasp",), (f"{DOI}10.1103/PhysRevB.54.11169", f"{DOI}10.1016/0927-0256%2896%2900008-0")),
    Citation("SevenNet", ("sevenn", "sevennet"), (f"{DOI}10.1021/acs.jctc.4c00190",)),
    Citation("CHGNet", ("chgnet",), (f"{DOI}10.1038/s42256-023-00716-3",)),
    Citation("MACE", ("mace", "mace-torch"), (f"{ARXIV}2206.07697", f"{ARXIV}2401.00096")),
)


def citations(names: Iterable[str]) -> list[Citation]:
    """Return what to cite.

    :param names: names of programs and packages, and levels of theory.
    """
    words = {word for text in names for word in text.lower().split()} | set(ALWAYS)
    return [citation for citation in CITATIONS if words & set(citation.words)]
