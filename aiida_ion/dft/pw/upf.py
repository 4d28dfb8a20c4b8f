"""The header of a UPF pseudopotential: functional, kind and suggested cut-offs."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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
#: Corrections for dispersion, as pw.x spells them.
DISPERSION = {
    "grimme-d2": "D2",
    "dft-d": "D2",
    "grimme-d3": "D3",
    "dft-d3": "D3",
    "ts": "TS",
    "mbd": "MBD",
    "xdm": "XDM",
}
_NAMES = {name.upper(): name for name in FUNCTIONALS.values()} | {"PZ": "LDA", "SCAN": "SCAN", "R2SCAN": "r2SCAN"}


@dataclass(frozen=True)
class UpfHeader:
    """Properties that decide how a pseudopotential is used.

    :param functional: usual name of its functional, or as in the file where none is known.
    :param norm_conserving: whether the density needs only four times the wave-function cut-off.
    :param ecutwfc_Ry: the least cut-off of the wave functions that its author suggests, in whole Ry as the file words
        it; ``None`` where the file suggests none, as most norm-conserving ones do.
    :param ecutrho_Ry: that of the density; ``None`` without one of the wave functions.
    """

    functional: str
    norm_conserving: bool
    ecutwfc_Ry: float | None = None
    ecutrho_Ry: float | None = None


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
    wave, density = _suggested_cutoffs(header[1])
    return UpfHeader(
        functional_name(functional[1]),
        norm_conserving=kind is not None and kind[1].upper() in ("NC", "SL"),
        ecutwfc_Ry=wave,
        ecutrho_Ry=density if wave is not None else None,
    )


def _suggested_cutoffs(header: str) -> tuple[float | None, float | None]:
    """Return the cut-offs of wave functions and density, Ry, that a header of either version suggests.

    Programs that know none write zero; ONCVPSP leaves out that of the wave functions, and its other is a radius.
    """
    texts = [re.search(rf"\b{name}\s*=\s*[\"']\s*([^\"'\s]+)", header) for name in ("wfc_cutoff", "rho_cutoff")]
    version_1 = re.search(r"^\s*(\S+)\s+(\S+)\s+Suggested cutoff for wfc and rho", header, re.MULTILINE)
    if texts[0] is None and version_1 is not None:
        return _whole(version_1[1]), _whole(version_1[2])
    wave, density = (_whole(match[1]) if match is not None else None for match in texts)
    return wave, density


def _whole(text: str) -> float | None:
    try:
        value = float(text.upper().replace("D", "E"))
    except ValueError:
        return None
    return float(round(value)) if math.isfinite(value) and value >= 0.5 else None


def functional_name(words: str) -> str:
    """Return the usual name of a functional, or its abbreviations where none is known."""
    upper = " ".join(words.upper().split())
    return FUNCTIONALS.get(upper) or _NAMES.get(upper) or " ".join(words.split())


def dft_name(system: Mapping[str, Any], functionals: Mapping[str, str]) -> str:
    """Return the functional of a calculation, with a Hubbard or dispersion correction.

    :param system: the namelist SYSTEM of pw.x, in lower case.
    :param functionals: those of the pseudopotentials, by species.
    :raises ValueError: if the pseudopotentials do not agree on it.
    """
    asked = system.get("input_dft")
    name = functional_name(str(asked)) if asked else common_functional(functionals)
    if system.get("lda_plus_u"):
        name += "+U"
    dispersion = DISPERSION.get(str(system.get("vdw_corr", "")).lower())
    return f"{name}-{dispersion}" if dispersion else name


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
