"""Cells of the table of trained potentials: errors, formulas and states from stored values that may be anything."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import pandas as pd

from aiida_ion.queries.reading.kinds import read_attributes, read_number

#: Splits whose frames a potential was not fitted to, the one that says more first.
HELD_OUT = ("test", "validation")
#: Exit status -> words, where a process left a potential although it did not end well.
STATES = {400: "stopped early", 713: "not accepted"}
#: Largest number of atoms of an element in a formula.
LARGEST_COUNT = 10**6


def held_out_errors(errors: Any, errors_of_parent: Any) -> dict[str, Any]:
    """Return the held-out errors of a report and of its parent on the same frames."""
    own, parent = read_attributes(errors), read_attributes(errors_of_parent)
    split = next((name for name in HELD_OUT if isinstance(own[name], dict)), None)
    forces, energies = (_part(own, split, kind) for kind in ("forces", "energies"))
    before = _part(parent, split, "forces")
    return {
        "held_out_split": split,
        "held_out_force_mae_eV_A": read_number(forces.get("mae_eV_A")),
        "held_out_force_rmse_eV_A": read_number(forces.get("rmse_eV_A")),
        "held_out_force_slope": read_number(forces.get("slope")),
        "held_out_energy_mae_eV_atom": read_number(energies.get("mae_eV_atom")),
        "parent_force_mae_eV_A": read_number(before.get("mae_eV_A")),
        "parent_force_slope": read_number(before.get("slope")),
    }


def _part(errors: Mapping[str, Any], split: str | None, kind: str) -> Mapping[str, Any]:
    of_split = errors.get(split or "")
    part = of_split.get(kind) if isinstance(of_split, dict) else None
    return part if isinstance(part, dict) else {}


def formulas(compositions: Any) -> str | None:
    """Return the reduced formulas of a dataset, such as ``Li2O, Li2S``; ``None`` where it does not say them."""
    given = compositions if isinstance(compositions, list) else []
    reduced = {_formula(tuple(sorted(one.items()))) for one in given if isinstance(one, dict) and _is_composition(one)}
    return ", ".join(sorted(reduced - {""})) or None


def _is_composition(given: Mapping[Any, Any]) -> bool:
    return bool(given) and all(type(count) is int and 0 < count <= LARGEST_COUNT for count in given.values())


@functools.lru_cache(maxsize=10_000)
def _formula(composition: tuple[tuple[str, int], ...]) -> str:
    from pymatgen.core.composition import Composition
    from pymatgen.core.periodic_table import Element

    if not all(Element.is_valid_symbol(symbol) for symbol, _ in composition):
        return ""
    return str(Composition(dict(composition)).reduced_formula)


def state_words(process_state: Any, exit_status: Any) -> str:
    """Return the state of a process, with its exit status where it is not zero."""
    if process_state == "finished" and not pd.isna(exit_status) and exit_status:
        return f"{STATES.get(int(exit_status), 'failed')} [{int(exit_status)}]"
    return str(process_state)


def accepted_word(outcome: Any, exit_status: Any) -> str | None:
    """Return whether a student passed; ``None`` where it was not judged."""
    if not isinstance(outcome, str):
        return None
    return "yes" if outcome == "accepted" and exit_status == 0 else "no"


def yes_or_no(flag: Any) -> str | None:
    """Return a flag in words."""
    return {True: "yes", False: "no"}.get(flag)
