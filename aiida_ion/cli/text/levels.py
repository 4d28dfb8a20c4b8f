"""A level of theory in a line: what decides energies and forces, and the hash of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida_ion.cli.text.tables import number, text
from aiida_ion.fingerprints import FINGERPRINT, FINGERPRINT_SHA256

#: Digits of a pseudopotential's hash that are shown.
SHOWN_DIGITS = 8


def level_line(versions: Mapping[str, Any]) -> str | None:
    """Return program, functional, cut-offs, k-points and pseudopotentials, as versions state them; else nothing."""
    facts, digest = versions.get(FINGERPRINT), versions.get(FINGERPRINT_SHA256)
    if not isinstance(facts, Mapping) or not digest:
        return None
    parts = [text(facts[key]) for key in ("program", "functional", "name", "model", "precision") if facts.get(key)]
    if facts.get("ecutwfc_Ry"):
        parts.append(f"{number(facts['ecutwfc_Ry'], 4)}/{number(facts.get('ecutrho_Ry'), 4)} Ry")
    if facts.get("encut_eV"):
        parts.append(f"{number(facts['encut_eV'], 4)} eV")
    spacing = facts.get("k_spacing_1_A")
    if isinstance(spacing, list):
        parts.append(f"k-points every {', '.join(number(one) for one in spacing)} 1/angstrom")
    hashes = facts.get("pseudopotentials")
    if isinstance(hashes, Mapping):
        parts += [f"{element} {text(one)[:SHOWN_DIGITS]}" for element, one in hashes.items()]
    return f"level of theory {digest}: {', '.join(parts)}"
