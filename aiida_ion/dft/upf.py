"""The header of a UPF pseudopotential: functional and kind."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

#: Parts of a functional, as abbreviated by pw.x and in UPF files -> its name.
FUNCTIONALS = {
    "SLA PZ NOGX NOGC": "LDA",
    "SLA PW NOGX NOGC": "LDA",
    "SLA PW PBX PBC": "PBE",
    "SLA PW PBE PBE": "PBE",
    "SLA PW PSX PSC": "PBEsol",
    "SLA PW RPB PBC": "RPBE",
    "SLA PW REVX PBC": "revPBE",
    "SLA LYP B88 BLYP": "BLYP",
    "SLA PW GGX GGC": "PW91",
    "SLA PW TPSS TPSS": "TPSS",
    "SLA+PW+PBX+PBC": "PBE",
    "SLA+PW+PSX+PSC": "PBEsol",
}
_NAMES = {name.upper(): name for name in FUNCTIONALS.values()} | {"PZ": "LDA", "SCAN": "SCAN", "R2SCAN": "r2SCAN"}


@dataclass(frozen=True)
class UpfHeader:
    """Properties that decide how a pseudopotential is used.

    :param functional: usual name of its functional, or as in the file where none is known.
    :param norm_conserving: whether the density needs only four times the wave-function cut-off.
    """

    functional: str
    norm_conserving: bool


def read_upf_header(text: str) -> UpfHeader:
    """Read the header of a UPF file of version 1 or 2.

    :raises ValueError: if no header or no functional is found.
    """
    header = re.search(r"<PP_HEADER(.*?)(?:/>|</PP_HEADER>|$)", text, re.DOTALL)
    if header is None:
        raise ValueError("the pseudopotential has no PP_HEADER; is it a UPF file?")
    functional = re.search(r"functional\s*=\s*[\"']\s*([^\"']+?)\s*[\"']", header[1])
    kind = re.search(r"pseudo_type\s*=\s*[\"']\s*(\w+)", header[1])
    if functional is None:
        # Version 1 gives the four parts, then the name of the functional.
        functional = re.search(r"^\s*((?:\S+\s+){3}\S+).*Exchange-Correlation functional", header[1], re.MULTILINE)
        kind = re.search(r"^\s*(US|NC)\s", header[1], re.MULTILINE)
    if functional is None:
        raise ValueError("the header of the pseudopotential names no functional")
    return UpfHeader(
        functional_name(functional[1]), norm_conserving=kind is not None and kind[1].upper() in ("NC", "SL")
    )


def functional_name(words: str) -> str:
    """Return the usual name of a functional, or its abbreviations where none is known."""
    upper = " ".join(words.upper().split())
    return FUNCTIONALS.get(upper) or _NAMES.get(upper) or " ".join(words.split())


def common_functional(functionals: Mapping[str, str]) -> str:
    """Return the functional that all pseudopotentials were generated with.

    :param functionals: of each species.
    :raises ValueError: if they differ, with the functional of each.
    """
    names = set(functionals.values())
    if len(names) != 1:
        text = ", ".join(f"{species} {name}" for species, name in sorted(functionals.items()))
        raise ValueError(f"the pseudopotentials were generated with different functionals ({text}); use one family")
    return names.pop()
