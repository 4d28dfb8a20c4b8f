"""Ordered cells ranked by relaxed energies: distances between them, and what Boltzmann weights would make of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from scipy.stats import spearmanr

from aiida_ion.settings.schema import Settings, number, word
from aiida_ion.units import BOLTZMANN_EV_K, MEV_PER_EV

FloatArray = npt.NDArray[np.float64]

FINISHED = "finished"
#: Weights of the draws, or of the energies.
WEIGHTS = ("draws", "boltzmann")
#: Of an ensemble with fewer effective members than this share, weights of energies are not an average.
COLLAPSED = 2 / 3
#: Fewer cells have no rank correlation.
LEAST_FOR_CORRELATION = 3
#: What a member takes over from the record of its relaxation.
TAKEN = (
    *("energy_before_eV", "energy_eV", "converged", "n_steps", "max_force_before_eV_A", "max_force_eV_A"),
    *("pressure_before_GPa", "pressure_GPa", "volume_before_A3", "volume_A3"),
    *("max_displacement_A", "rms_displacement_A", "max_framework_displacement_A"),
    *("closest_mobile_before_A", "closest_mobile_A"),
)


@dataclass(frozen=True)
class RankingSettings(Settings):
    """How members are weighted, and the temperature of Boltzmann weights."""

    what: ClassVar[str] = "ranking setting"

    temperature_K: float | None = number(
        None,
        least=1.0,
        most=5000.0,
        unit="K",
        help="Temperature of the Boltzmann weights that are reported; that of the draws when not given",
    )
    weights: str = word(
        WEIGHTS,
        "draws",
        help="Weights of the members: the share of the draws, or Boltzmann weights of relaxed energies, which collapse "
        "onto few cells",
    )


def ranked_ensemble(
    ensemble: Mapping[str, Any], results: Mapping[str, Mapping[str, Any]], settings: RankingSettings
) -> dict[str, Any]:
    """Return an ensemble of relaxed cells, of the same shape as the drawn one.

    Members that were not relaxed are left out, with the reason. Those that are relaxed but not converged stay, and have
    no rank, since their energies are not yet those of a minimum. With Boltzmann weights members have no `count`, which
    says of which draws a weight is the share.

    :param ensemble: as ``ion.order_structure`` describes it, member n being the cell ``o00n``.
    :param results: by label, the records of ``ion.relax_orderings``; energies in eV.
    :raises ValueError: where no cell is left, or cells differ in composition.
    """
    drawn = [{**member, "drawn_as": f"o{number:03d}"} for number, member in enumerate(ensemble["members"])]
    kept = [member for member in drawn if _status(results, member["drawn_as"]) == FINISHED]
    if not kept:
        raise ValueError("no cell was relaxed")
    _check_composition([results[member["drawn_as"]] for member in kept])
    temperature_K = settings.temperature_K or float(ensemble["settings"]["freezing_temperature_K"])
    members = [{**member, **_taken(results[member["drawn_as"]])} for member in kept]
    _rank(members, temperature_K)
    if settings.weights == "boltzmann" and not all(member["converged"] for member in members):
        raise ValueError(
            "Boltzmann weights need energies of relaxed cells, and some are not converged: raise max_steps"
        )
    total = sum(member["count"] for member in members)
    for member in members:
        share = member["count"] / total
        member["weight"] = share if settings.weights == "draws" else member["boltzmann_weight"]
    left_out = {
        member["drawn_as"]: str((results.get(member["drawn_as"]) or {}).get("message") or "it has no result")
        for member in drawn
        if member not in kept
    }
    totals = _totals(members, temperature_K, settings, left_out)
    if settings.weights != "draws":
        members = [{**member, "count": None} for member in members]  # its weight is not a share of the draws
    return {**ensemble, **totals, "members": members}


def boltzmann_weights(energies_eV: Sequence[float], temperature_K: float) -> FloatArray:
    """Return exp(-E/kT), normalised, each cell counted once, (n,).

    :param energies_eV: of equal cells, eV, (n,).
    """
    energies = np.asarray(energies_eV, dtype=float)
    factors = np.exp(-(energies - energies.min()) / (BOLTZMANN_EV_K * temperature_K))
    weights: FloatArray = factors / factors.sum()
    return weights


def effective_number(weights: Sequence[float] | FloatArray) -> float:
    """Return 1/sum w**2: as many members of equal weight would average as well (Kish, Survey Sampling, 1965)."""
    return float(1.0 / np.square(np.asarray(weights, dtype=float)).sum())


def _status(results: Mapping[str, Mapping[str, Any]], label: str) -> str:
    return str((results.get(label) or {}).get("status"))


def _taken(record: Mapping[str, Any]) -> dict[str, Any]:
    n_atoms = int(record["n_atoms"])
    drop = (float(record["energy_before_eV"]) - float(record["energy_eV"])) / n_atoms
    return {name: record.get(name) for name in TAKEN} | {"energy_drop_meV_atom": drop * MEV_PER_EV}


def _check_composition(records: Sequence[Mapping[str, Any]]) -> None:
    formulas = sorted({str(record["formula"]) for record in records})
    if len(formulas) > 1:
        raise ValueError(f"energies of different compositions cannot be compared: {', '.join(formulas)}")


def _rank(members: list[dict[str, Any]], temperature_K: float) -> None:
    """Give each converged member its rank, its energy above the lowest and its Boltzmann weight; others have none."""
    for member in members:
        member.update(rank=None, energy_above_lowest_eV=None, boltzmann_weight=None)
    known = sorted((member for member in members if member["converged"]), key=lambda member: member["energy_eV"])
    if not known:
        return
    weights = boltzmann_weights([member["energy_eV"] for member in known], temperature_K)
    for place, (member, weight) in enumerate(zip(known, weights, strict=True)):
        above = member["energy_eV"] - known[0]["energy_eV"]
        member.update(rank=place + 1, energy_above_lowest_eV=above, boltzmann_weight=float(weight))


def _totals(
    members: Sequence[Mapping[str, Any]], temperature_K: float, settings: RankingSettings, left_out: Mapping[str, str]
) -> dict[str, Any]:
    weights = [member["boltzmann_weight"] for member in members if member["boltzmann_weight"] is not None]
    k_boltzmann = effective_number(weights) if weights else None
    return {
        "n_orderings": len(members),
        "n_draws": sum(int(member["count"]) for member in members),
        "n_frameworks": len({member["framework_hash"] for member in members}),
        "n_not_converged": sum(not member["converged"] for member in members),
        "not_relaxed": dict(left_out),
        "weights": settings.weights,
        "boltzmann_temperature_K": temperature_K,
        "k_effective": effective_number([member["weight"] for member in members]),
        "k_effective_boltzmann": k_boltzmann,
        "ewald_rank_correlation": _correlation(members),
        "rank_remarks": _remarks(members, k_boltzmann, temperature_K, settings, left_out),
    }


def _correlation(members: Sequence[Mapping[str, Any]]) -> float | None:
    """Return Spearman's rank correlation of electrostatic and relaxed energies; ``None`` of too few or equal ones."""
    known = [member for member in members if member["converged"]]
    ewald, relaxed = ([float(member[name]) for member in known] for name in ("ewald_energy_eV", "energy_eV"))
    if len(known) < LEAST_FOR_CORRELATION or len(set(ewald)) == 1 or len(set(relaxed)) == 1:
        return None
    return float(spearmanr(ewald, relaxed).statistic)


def _remarks(
    members: Sequence[Mapping[str, Any]],
    k_boltzmann: float | None,
    temperature_K: float,
    settings: RankingSettings,
    left_out: Mapping[str, str],
) -> list[str]:
    remarks = [f"{label} was left out: {reason}" for label, reason in left_out.items()]
    waiting = [str(member["drawn_as"]) for member in members if not member["converged"]]
    if waiting:
        remarks.append(
            f"{', '.join(waiting)} did not converge and is not ranked: raise max_steps; molecular dynamics relaxes it "
            "once more"
        )
    n_ranked = len(members) - len(waiting)
    if k_boltzmann is not None and n_ranked > 1 and k_boltzmann < COLLAPSED * n_ranked:
        used = "is" if settings.weights == "boltzmann" else "would be"
        remarks.append(
            f"with Boltzmann weights at {temperature_K:g} K the ensemble {used} one of {k_boltzmann:.1f} cells instead "
            f"of {n_ranked}"
        )
    return remarks
