"""Energies of relaxed cells with defects, and formation energies where the reference is defined.

A Frenkel pair has the atoms of the perfect cell: E_F = E(pair) - E(perfect), both relaxed by the same potential in the
same cell. A Schottky defect that lacks whole formula units has the crystal itself as reference of the atoms taken out.
Other defects exchange atoms, and charge, with something outside of the crystal: their energy depends on what that is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from pymatgen.core.composition import Composition

from aiida_ion.analysis.defects.placing import distances_A
from aiida_ion.analysis.defects.settings import FRENKEL, SCHOTTKY

FloatArray = npt.NDArray[np.float64]

FINISHED = "finished"
#: Labels of the perfect cell among the relaxed ones, and of the one whose atoms were displaced before.
PERFECT, DISPLACED = "perfect", "displaced"
#: A displaced cell that is lower by more than this shows that the symmetric crystal is not a minimum, eV.
LOWER_EV = 5e-3
#: A site of the perfect crystal without an ion this close is vacant, angstrom.
VACANT_A = 0.9
#: What a member takes over from the record of its relaxation.
TAKEN = (
    *("energy_before_eV", "energy_eV", "converged", "n_steps", "max_force_eV_A"),
    *("max_displacement_A", "rms_displacement_A", "max_framework_displacement_A", "closest_mobile_A"),
)


def energies_of_defects(
    ensemble: Mapping[str, Any],
    results: Mapping[str, Mapping[str, Any]],
    vacant: Mapping[str, int],
    formula: str,
) -> dict[str, Any]:
    """Return an ensemble with the energies of its relaxed members, and the formation energy of its defect.

    :param ensemble: of ``ion.make_defects``, member n being the cell ``o00n``.
    :param results: by label, and of the perfect cell, the records of ``ion.relax_orderings``; energies in eV.
    :param vacant: by label, the sites of the mobile ion that are vacant after the relaxation.
    :param formula: of the perfect cell.
    :returns: every member gets, in addition to what it had, ``drawn_as``, its energies, ``n_vacant_sites``,
        ``is_recombined`` and ``formation_energy_eV``, of one defect; members without a relaxed cell are left out, with
        the reason. For all of them ``formation_energy_eV`` is the lowest, with the sites that it belongs to.
    :raises ValueError: where no member was relaxed.
    """
    drawn = [{**member, "drawn_as": f"o{number:03d}"} for number, member in enumerate(ensemble["members"])]
    kept = [member for member in drawn if _status(results, str(member["drawn_as"])) == FINISHED]
    if not kept:
        raise ValueError("no cell with defects was relaxed")
    perfect = results.get(reference_label(results)) or {}
    reference_eV, why_not = _reference(ensemble, perfect, formula)
    members = [_with_energy(member, ensemble, results, vacant, reference_eV) for member in kept]
    _rank(members)
    total = sum(int(member["count"]) for member in members)
    for member in members:
        member["weight"] = int(member["count"]) / total
    left_out = {
        str(member["drawn_as"]): str((results.get(str(member["drawn_as"])) or {}).get("message") or "it has no result")
        for member in drawn
        if member not in kept
    }
    return {
        **ensemble,
        "members": members,
        "n_orderings": len(members),
        "n_draws": total,
        "n_not_converged": sum(not member["converged"] for member in members),
        "not_relaxed": left_out,
        "perfect_energy_eV": perfect.get("energy_eV"),
        "perfect_is": reference_label(results),
        "symmetric_above_displaced_eV": _gain(results),
        **_formation(members, ensemble, why_not),
        "energy_remarks": _remarks(members, ensemble, results, left_out, reference_eV),
    }


def reference_label(results: Mapping[str, Mapping[str, Any]]) -> str:
    """Return which relaxed cell is the perfect crystal: that of displaced atoms where it is lower.

    At a symmetric saddle forces vanish, so that a cell which starts there stays, and cells with defects, which have
    less symmetry, would gain energy that has nothing to do with the defect.
    """
    gain_eV = _gain(results)
    return DISPLACED if gain_eV is not None and gain_eV > 0 else PERFECT


def _gain(results: Mapping[str, Mapping[str, Any]]) -> float | None:
    """Return by how much the cell with displaced atoms is below the symmetric one, eV, where both are relaxed."""
    both = [results.get(label) or {} for label in (PERFECT, DISPLACED)]
    if not all(record.get("status") == FINISHED and record.get("converged") for record in both):
        return None
    return float(both[0]["energy_eV"]) - float(both[1]["energy_eV"])


def n_vacant_sites(cell: FloatArray, sites: FloatArray, ions: FloatArray) -> int:
    """Return how many sites have no ion within 0.9 angstrom.

    :param cell: rows are cell vectors, angstrom, (3, 3).
    :param sites: fractional coordinates, (n, 3).
    :param ions: fractional coordinates, (m, 3).
    """
    return int((distances_A(cell, sites, ions).min(axis=1) > VACANT_A).sum())


def _status(results: Mapping[str, Mapping[str, Any]], label: str) -> str:
    return str((results.get(label) or {}).get("status"))


def _reference(
    ensemble: Mapping[str, Any], perfect: Mapping[str, Any], formula: str
) -> tuple[float | None, str | None]:
    """Return the energy that a cell without formation energy would have, eV, or why there is none."""
    if ensemble["defect"] not in {FRENKEL, SCHOTTKY}:
        return None, (
            "its atoms and charge come from outside of the crystal, so that the energy depends on what they come from"
        )
    if perfect.get("status") != FINISHED or not perfect.get("converged"):
        return None, "the perfect cell was not relaxed"
    energy_eV = float(perfect["energy_eV"])
    if ensemble["defect"] == FRENKEL:
        return energy_eV, None
    removed = Composition(str(ensemble["settings"]["removed"]))
    crystal = Composition(formula)
    if removed.reduced_formula != crystal.reduced_formula:
        return None, (
            f"it lacks {removed.reduced_formula}, which is another compound than {crystal.reduced_formula}: its energy "
            "by the same potential would be needed"
        )
    n_units = int(ensemble["n_carriers"]) / removed[str(ensemble["mobile_species"])]
    return energy_eV * (1.0 - n_units * removed.num_atoms / crystal.num_atoms), None


def _with_energy(
    member: Mapping[str, Any],
    ensemble: Mapping[str, Any],
    results: Mapping[str, Mapping[str, Any]],
    vacant: Mapping[str, int],
    reference_eV: float | None,
) -> dict[str, Any]:
    label = str(member["drawn_as"])
    record = results[label]
    is_pair = ensemble["defect"] == FRENKEL
    recombined = vacant.get(label, 0) < int(ensemble["n_carriers"]) if is_pair else None
    energy_eV = None
    if reference_eV is not None and record.get("converged") and not recombined:
        energy_eV = (float(record["energy_eV"]) - reference_eV) / _n_units(ensemble)
    return {
        **member,
        **{name: record.get(name) for name in TAKEN},
        "n_vacant_sites": vacant.get(label),
        "is_recombined": recombined,
        "formation_energy_eV": energy_eV,
    }


def _n_units(ensemble: Mapping[str, Any]) -> float:
    if ensemble["defect"] == FRENKEL:
        return float(ensemble["n_carriers"])
    removed = Composition(str(ensemble["settings"]["removed"]))
    return float(ensemble["n_carriers"]) / float(removed[str(ensemble["mobile_species"])])


def _rank(members: list[dict[str, Any]]) -> None:
    """Give each converged member that kept its defects its rank and its energy above the lowest; others have none."""
    for member in members:
        member.update(rank=None, energy_above_lowest_eV=None)
    known = [member for member in members if member["converged"] and not member["is_recombined"]]
    known.sort(key=lambda member: float(member["energy_eV"]))
    for number, member in enumerate(known):
        above = float(member["energy_eV"]) - float(known[0]["energy_eV"])
        member.update(rank=number + 1, energy_above_lowest_eV=above)


def _formation(members: list[dict[str, Any]], ensemble: Mapping[str, Any], why_not: str | None) -> dict[str, Any]:
    known = [member for member in members if member["formation_energy_eV"] is not None]
    if not known:
        reason = why_not or "no cell with the defect is converged and kept it"
        return {
            "formation_energy_eV": None,
            "formation_energy_of": None,
            "formation_energy_sites": None,
            "formation_energy_missing": reason,
        }
    lowest = min(known, key=lambda member: float(member["formation_energy_eV"]))
    return {
        "formation_energy_eV": lowest["formation_energy_eV"],
        "formation_energy_of": ensemble["compensation"],
        "formation_energy_sites": [f"{defect['kind']} {defect['site']}" for defect in lowest["defects"]],
        "formation_energy_missing": None,
    }


def _remarks(
    members: list[dict[str, Any]],
    ensemble: Mapping[str, Any],
    results: Mapping[str, Mapping[str, Any]],
    left_out: Mapping[str, str],
    reference_eV: float | None,
) -> list[str]:
    remarks = [f"{label} was left out: {reason}" for label, reason in left_out.items()]
    waiting = [str(member["drawn_as"]) for member in members if not member["converged"]]
    if waiting:
        remarks.append(f"{', '.join(waiting)} did not converge and has no formation energy: raise max_steps")
    gone = [str(member["drawn_as"]) for member in members if member["is_recombined"]]
    if gone:
        remarks.append(f"the pair recombined in {', '.join(gone)}, which has no formation energy")
    if reference_eV is None:
        return remarks
    if _n_units(ensemble) > 1:
        remarks.append("several defects share a cell: the energy of one of them holds their interaction")
    gain_eV = _gain(results)
    if gain_eV is None:
        remarks.append("whether the symmetric crystal is a minimum by this potential is not known")
    elif gain_eV > LOWER_EV:
        remarks.append(
            f"the symmetric crystal is not a minimum by this potential: displaced atoms gain {gain_eV:.3f} eV in this "
            "cell, from which the energies are measured; relax the crystal without its symmetry"
        )
    lowest = [float(member["energy_eV"]) for member in members if member["energy_eV"] is not None]
    if ensemble["defect"] == FRENKEL and min(lowest) < reference_eV - 1e-3:
        remarks.append("a cell with defects is lower than the perfect one, which is not the lowest by this potential")
    remarks.append(
        "neutral cells of one size, without correction for it: repeat in a larger cell; interstitials begin in the "
        "empty sites that were found, and a better site would lower the energy"
    )
    return remarks
