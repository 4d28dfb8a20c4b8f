"""Formation energies from relaxed cells: defined where the atoms stay in the crystal, and nowhere else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from aiida_ion.analysis.defects.energies import energies_of_defects, n_vacant_sites


def ensemble(defect: str = "frenkel", n_carriers: int = 1, removed: str | None = None) -> dict[str, Any]:
    members = [
        {"index": k, "count": 1, "weight": 0.5, "defects": [{"kind": "vacancy", "site": f"Li{k}"}]} for k in range(2)
    ]
    return {
        "defect": defect,
        "n_carriers": n_carriers,
        "compensation": "a pair",
        "mobile_species": "Li",
        "members": members,
        "settings": {"removed": removed},
    }


def record(energy_eV: float, converged: bool = True) -> dict[str, Any]:
    return {"status": "finished", "energy_eV": energy_eV, "converged": converged}


def test_a_pair_is_measured_from_the_perfect_cell() -> None:
    results = {"perfect": record(-100.0), "o000": record(-99.1), "o001": record(-99.7)}
    table = energies_of_defects(ensemble(), results, {"o000": 1, "o001": 1}, "Li16 O8")
    assert table["formation_energy_eV"] == pytest.approx(0.3)
    assert table["formation_energy_sites"] == ["vacancy Li1"]
    assert [member["rank"] for member in table["members"]] == [2, 1]
    assert table["members"][0]["formation_energy_eV"] == pytest.approx(0.9)


def test_a_symmetric_crystal_that_is_no_minimum_is_not_the_reference() -> None:
    results = {"perfect": record(-100.0), "o000": record(-99.9), "o001": record(-99.8)}
    vacant = {"o000": 1, "o001": 1}
    alone = energies_of_defects(ensemble(), results, vacant, "Li16 O8")
    assert any("is not known" in remark for remark in alone["energy_remarks"])
    table = energies_of_defects(ensemble(), results | {"displaced": record(-100.6)}, vacant, "Li16 O8")
    assert table["formation_energy_eV"] == pytest.approx(0.7) and table["perfect_is"] == "displaced"
    assert any("displaced atoms gain 0.600 eV" in remark for remark in table["energy_remarks"])
    fine = energies_of_defects(ensemble(), results | {"displaced": record(-99.99)}, vacant, "Li16 O8")
    assert fine["formation_energy_eV"] == pytest.approx(0.1) and fine["perfect_is"] == "perfect"


def test_a_pair_that_recombined_or_is_not_converged_has_none() -> None:
    results = {"perfect": record(-100.0), "o000": record(-100.0), "o001": record(-99.0, converged=False)}
    table = energies_of_defects(ensemble(), results, {"o000": 0, "o001": 1}, "Li16 O8")
    assert table["formation_energy_eV"] is None
    assert table["members"][0]["is_recombined"] and table["members"][0]["rank"] is None
    assert any("recombined in o000" in remark for remark in table["energy_remarks"])
    assert any("o001 did not converge" in remark for remark in table["energy_remarks"])


def test_whole_formula_units_are_measured_from_the_crystal_itself() -> None:
    given = ensemble("schottky", n_carriers=1, removed="LiCl")
    results = {"perfect": record(-64.0), "o000": record(-60.5), "o001": record(-61.0)}
    table = energies_of_defects(given, results, {}, "Li32 Cl32")
    # 31 of 32 formula units at -2 eV each.
    assert table["formation_energy_eV"] == pytest.approx(-61.0 + 62.0)
    another = energies_of_defects(ensemble("schottky", removed="LiCl"), results, {}, "Li48 Cl16 O16")
    assert another["formation_energy_eV"] is None
    assert "another compound" in another["formation_energy_missing"]


def test_an_atom_from_outside_has_no_reference() -> None:
    results = {"perfect": record(-100.0), "o000": record(-97.0), "o001": {"status": "failed", "message": "it melted"}}
    table = energies_of_defects(ensemble("vacancy"), results, {}, "Li16 O8")
    assert table["formation_energy_eV"] is None
    assert "outside of the crystal" in table["formation_energy_missing"]
    assert table["not_relaxed"] == {"o001": "it melted"}
    (member,) = table["members"]
    assert member["weight"] == 1.0 and member["energy_above_lowest_eV"] == 0.0
    with pytest.raises(ValueError, match="no cell with defects was relaxed"):
        energies_of_defects(ensemble(), {"perfect": record(-1.0)}, {}, "Li16 O8")


def test_vacant_sites_are_those_without_an_ion_near() -> None:
    sites = np.array([[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0, 0]])
    ions = np.array([[0.99, 0.02, 0.0], [0.5, 0.5, 0.45], [0.25, 0.25, 0.25]])
    assert n_vacant_sites(np.eye(3) * 5.0, sites, ions) == 1
