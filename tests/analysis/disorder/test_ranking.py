"""Ranks and weights of relaxed cells against values that are worked out by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest

from aiida_ion.analysis.disorder.ranking import (
    RankingSettings,
    boltzmann_weights,
    effective_number,
    ranked_ensemble,
)

KT_EV = 8.617333262e-5 * 800.0


def drawn(*energies: float) -> dict[str, Any]:
    members = [
        {
            "index": number,
            "weight": 1 / len(energies),
            "count": number + 1,
            "ewald_energy_eV": energy,
            "framework_hash": str(number % 2),
        }
        for number, energy in enumerate(energies)
    ]
    return {"members": members, "settings": {"freezing_temperature_K": 800.0}, "n_atoms": 4, "kind": "ordering"}


def record(energy: float, **changes: Any) -> dict[str, Any]:
    made = {"status": "finished", "converged": True, "n_atoms": 4, "formula": "Li2Cl2", "energy_eV": energy}
    return made | {"energy_before_eV": energy + 1.0, "max_force_eV_A": 0.01, "message": ""} | changes


def results(*records: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {f"o{number:03d}": one for number, one in enumerate(records)}


def test_two_cells_a_kt_apart() -> None:
    ensemble = ranked_ensemble(drawn(-3.0, -2.0), results(record(-10.0 + KT_EV), record(-10.0)), RankingSettings())
    first, second = ensemble["members"]
    assert (first["rank"], second["rank"]) == (2, 1)
    assert first["energy_above_lowest_eV"] == pytest.approx(KT_EV)
    share = 1 / (1 + math.e)
    assert first["boltzmann_weight"] == pytest.approx(share, rel=1e-6)
    assert ensemble["k_effective_boltzmann"] == pytest.approx(1 / (share**2 + (1 - share) ** 2), rel=1e-6)
    # The weights stay those of the draws, one and two of three.
    assert [member["weight"] for member in ensemble["members"]] == pytest.approx([1 / 3, 2 / 3])
    assert ensemble["k_effective"] == pytest.approx(9 / 5)
    assert ensemble["kind"] == "ordering" and ensemble["boltzmann_temperature_K"] == 800.0
    assert first["energy_drop_meV_atom"] == pytest.approx(250.0)


def test_what_is_not_converged_has_no_rank_and_what_failed_is_left_out() -> None:
    failed = {"status": "failed", "message": "it exploded"}
    ensemble = ranked_ensemble(
        drawn(1.0, 2.0, 3.0, 4.0),
        results(record(-9.0), record(-12.0, converged=False), failed, record(-10.0)),
        RankingSettings(temperature_K=300.0),
    )
    assert [member["drawn_as"] for member in ensemble["members"]] == ["o000", "o001", "o003"]
    assert [member["rank"] for member in ensemble["members"]] == [2, None, 1]
    assert ensemble["members"][1]["boltzmann_weight"] is None
    assert [member["weight"] for member in ensemble["members"]] == pytest.approx([1 / 7, 2 / 7, 4 / 7])
    assert ensemble["not_relaxed"] == {"o002": "it exploded"} and ensemble["n_not_converged"] == 1
    text = "; ".join(ensemble["rank_remarks"])
    assert "o002 was left out: it exploded" in text and "o001 did not converge" in text
    assert "300 K the ensemble would be one of 1.0 cells instead of 2" in text
    assert ensemble["n_orderings"] == 3 and ensemble["n_frameworks"] == 2


def test_boltzmann_weights_can_be_asked_for_and_need_relaxed_cells() -> None:
    settings = RankingSettings(weights="boltzmann")
    ensemble = ranked_ensemble(drawn(1.0, 2.0), results(record(-10.0), record(-10.0)), settings)
    assert [(member["weight"], member["count"]) for member in ensemble["members"]] == [(0.5, None)] * 2
    assert ensemble["n_draws"] == 3
    with pytest.raises(ValueError, match="raise max_steps"):
        ranked_ensemble(drawn(1.0, 2.0), results(record(-10.0), record(-9.0, converged=False)), settings)


def test_what_cannot_be_ranked() -> None:
    with pytest.raises(ValueError, match="no cell was relaxed"):
        ranked_ensemble(drawn(1.0), {}, RankingSettings())
    with pytest.raises(ValueError, match="Li2Cl2, LiCl"):
        ranked_ensemble(drawn(1.0, 2.0), results(record(1.0), record(2.0, formula="LiCl")), RankingSettings())


def test_the_order_of_point_charges_is_compared() -> None:
    cells = results(record(-3.0), record(-2.0), record(-1.0))
    assert ranked_ensemble(drawn(1, 2, 3), cells, RankingSettings())["ewald_rank_correlation"] == pytest.approx(1.0)
    assert ranked_ensemble(drawn(3, 2, 1), cells, RankingSettings())["ewald_rank_correlation"] == pytest.approx(-1.0)
    assert ranked_ensemble(drawn(1, 1, 1), cells, RankingSettings())["ewald_rank_correlation"] is None


def test_effective_numbers() -> None:
    assert effective_number([0.25] * 4) == pytest.approx(4.0)
    assert effective_number(boltzmann_weights([0.0, 50.0], 300.0)) == pytest.approx(1.0)
