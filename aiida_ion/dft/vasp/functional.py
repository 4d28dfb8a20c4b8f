"""Name of the level of theory from INCAR tags and POTCAR titles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

GGA_NAMES = {
    "PE": "PBE",
    "PS": "PBEsol",
    "RP": "RPBE",
    "RE": "revPBE",
    "91": "PW91",
    "AM": "AM05",
    "CA": "LDA",
    "PZ": "LDA",
    "BO": "optB88",
    "MK": "optB86b",
    "OR": "optPBE",
}
METAGGA_NAMES = {"R2SCAN": "R2SCAN", "SCAN": "SCAN", "RSCAN": "rSCAN", "TPSS": "TPSS", "RTPSS": "revTPSS"}
IVDW_NAMES = {1: "D2", 10: "D2", 11: "D3", 12: "D3(BJ)", 13: "D4", 2: "TS", 20: "TS", 202: "MBD", 4: "dDsC"}
#: First word of a POTCAR title -> the functional it was generated with; LDA without one.
TITLE_NAMES = {"PAW_PBE": "PBE", "PAW_GGA": "PW91", "PAW": "LDA", "US": "LDA"}


def functional_name(tags: Mapping[str, Any], titles: Iterable[str]) -> str:
    """Return the functional, such as ``PBE``, ``R2SCAN``, ``PBE+U`` or ``PBE-D3(BJ)``.

    :param tags: INCAR tags, in lower case.
    :param titles: titles of the POTCARs, which decide where no tag does.
    """
    name = _exchange_correlation(tags, titles)
    if _true(tags.get("lhfcalc")):
        name = _hybrid(tags, name)
    if _true(tags.get("ldau")):
        name += "+U"
    if _true(tags.get("luse_vdw")):
        name += "+vdW-DF"
    dispersion = int(tags.get("ivdw") or 0)
    return f"{name}-{IVDW_NAMES.get(dispersion, f'IVDW{dispersion}')}" if dispersion else name


def _exchange_correlation(tags: Mapping[str, Any], titles: Iterable[str]) -> str:
    meta, gga = str(tags.get("metagga") or "").upper(), str(tags.get("gga") or "").upper()
    if meta and meta not in ("NONE", "--"):
        return METAGGA_NAMES.get(meta, meta)
    if gga and gga != "--":
        return GGA_NAMES.get(gga, gga)
    made_with = {TITLE_NAMES.get(title.split()[0], title.split()[0]) for title in titles if title.split()}
    return "/".join(sorted(made_with)) or "unknown functional"


def _hybrid(tags: Mapping[str, Any], name: str) -> str:
    screening, share = float(tags.get("hfscreen") or 0.0), float(tags.get("aexx", 0.25))
    if name == "PBE" and share == 0.25:
        return {0.0: "PBE0", 0.2: "HSE06", 0.3: "HSE03"}.get(screening, f"PBE hybrid ({screening:g}/angstrom)")
    return f"{name} hybrid ({100 * share:g} % exact exchange)"


def _true(value: Any) -> bool:
    return value is True or str(value).strip(".").upper() in ("TRUE", "T")
