"""What the maps of a crystal say, and what several results of it say together."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from aiida_ion.analysis.energy_maps.frozen import results
from aiida_ion.analysis.energy_maps.frozen.compute import NoMapError, Request
from aiida_ion.analysis.energy_maps.frozen.results import frozen_results
from aiida_ion.analysis.energy_maps.frozen.spread import combined_barriers
from tests.analysis.energy_maps.frozen.crystals import pair_energies, plan_of, solve


def channel(request: Request) -> Any:
    """Return energies of an ion that moves along z for 0.3 eV and otherwise nowhere, but at its other site, eV."""
    x, y, z = (request.positions_A @ np.linalg.inv(request.host.cell)).T
    across = np.sin(np.pi * (x - 1 / 3)) ** 2 + np.sin(np.pi * (y - 2 / 3)) ** 2
    energies = 0.3 * np.sin(np.pi * z) ** 2
    return np.where((across > 0.05) & (len(z) > 2), np.nan, energies)


def pocket(request: Request) -> Any:
    """Return energies with a pocket far from the site, 0.8 eV below it, eV."""
    x, y, z = (request.positions_A @ np.linalg.inv(request.host.cell)).T
    near = np.cos(2 * np.pi * (x - 1 / 3)) + np.cos(2 * np.pi * (y - 2 / 3)) + np.cos(2 * np.pi * (z - 0.5))
    return -0.4 * near / 3.0


def test_a_channel_percolates_along_one_vector() -> None:
    """Energies that are not numbers are where the ion cannot be; the interval comes from every second point."""
    plan = plan_of("Li3N")
    told = frozen_results(plan, [solve(plan.maps[0], 0.25, use_symmetry=False, energies=channel)])
    assert told["barriers_eV"] == [pytest.approx(0.3), None, None]
    assert told["barriers_interval_eV"] == [[pytest.approx(0.3), pytest.approx(0.3)], None, None]
    assert told["maps"][0]["saddles"][0]["fractional"][2] == pytest.approx(0.5, abs=0.04)
    assert told["maps"][0]["n_not_finite"] > 0 and "not finite" in told["caveats"][0]


def test_a_pocket_below_the_site_is_reported() -> None:
    plan = plan_of("Li3N")
    told = frozen_results(plan, [solve(plan.maps[0], 0.25, use_symmetry=False, energies=pocket)])
    sites = told["maps"][0]["sites"]
    # The plane between the layers is lower by 2 of 3 parts of 0.8 eV.
    assert sites[1]["energy_above_minimum_eV"] == pytest.approx(0.8 / 3.0, abs=1e-6)
    assert told["site_depth_eV"] == pytest.approx(min(site["energy_above_minimum_eV"] for site in sites))
    assert told["maps"][0]["minimum"]["distance_to_site_A"] > 0.5
    assert "relax the crystal" in told["caveats"][0]
    above_site, above_minimum = told["barriers_above_site_eV"], told["barriers_eV"]
    assert above_minimum[0] - above_site[0] == pytest.approx(told["site_depth_eV"])


def test_a_site_too_close_to_an_atom_has_no_map() -> None:
    plan = plan_of("Li3N").maps[0]
    plan.host.fractions[0] = plan.sites[0] + [0.0, 0.0, 0.1]
    with pytest.raises(NoMapError, match=r"0\.39 angstrom from another atom"):
        solve(plan, 0.5)


def test_a_barrier_is_never_that_of_points_without_an_energy() -> None:
    """Where all pathways are blocked there is no barrier, however high the potential was allowed to be."""
    plan = plan_of("LiF")

    def wall(request: Request) -> Any:
        inside = np.linalg.norm(request.positions_A, axis=1) % 10.0
        return np.where(inside < 0.8, 0.1 * inside, np.nan)

    told = frozen_results(plan, [solve(plan.maps[0], 0.25, use_symmetry=False, energies=wall)], False)
    assert told["barriers_eV"] == [None, None, None] and "descriptors" not in told


def test_in_a_narrow_cell_the_ion_moves_with_its_images() -> None:
    plan = plan_of("Li2O", "kept")
    told = frozen_results(plan, [solve(one, 0.5) for one in plan.maps])
    assert any("together with its images" in caveat for caveat in told["caveats"])
    wide = plan_of("Li2O", "kept", 8.0)
    assert not [
        c for c in frozen_results(wide, [solve(one, 1.0) for one in wide.maps], False)["caveats"] if "images" in c
    ]


def test_percolation_is_that_of_the_ion_that_moves_most_easily() -> None:
    plan = plan_of("Li3N", "kept")
    maps = [solve(one, 0.4, energies=pair_energies) for one in plan.maps]
    together = frozen_results(plan, maps)
    each = [one["barriers_eV"] for one in together["maps"]]
    assert len(each) == 2
    for dimension in range(3):
        known = [one[dimension] for one in each if one[dimension] is not None]
        assert together["barriers_eV"][dimension] == min(known)


def result(barriers: list[float | None], error: float | None = None) -> dict[str, Any]:
    edges = [None if error is None or one is None else [one - error, one + error] for one in barriers]
    return {"barriers_eV": barriers, "barriers_interval_eV": edges}


def test_the_interval_holds_every_result_and_its_error() -> None:
    both = combined_barriers({"a": result([0.30, 0.50, 1.0], 0.02), "b": result([0.40, 0.80, None])})
    assert both["barriers_eV"] == [pytest.approx(0.35), pytest.approx(0.65), None]
    assert both["barriers_interval_eV"][0] == pytest.approx([0.28, 0.40])
    assert both["disagreement_eV"][:2] == pytest.approx([0.1, 0.3]) and both["disagreement_eV"][2] is None
    assert both["agrees"] == [True, False, False]
    # One of them does not percolate: the barrier may be anything above the other.
    assert both["barriers_interval_eV"][2] == [pytest.approx(0.98), None]


def test_nothing_percolates_in_any_result() -> None:
    both = combined_barriers({"a": result([None] * 3), "b": result([None] * 3)})
    assert both["barriers_eV"] == both["barriers_interval_eV"] == [None] * 3 and both["agrees"] == [True] * 3


def test_what_does_not_fit_into_memory_is_refused_or_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of("Li3N")
    one = solve(plan.maps[0], 0.5)
    with pytest.raises(NoMapError, match="take a longer step_A"):
        solve(plan.maps[0], 0.01)
    monkeypatch.setattr(results, "MAX_DESCRIPTOR_POINTS", one.n_points - 1)
    told = frozen_results(plan, [one])
    assert "descriptors" not in told and "too much memory for 512 points" in told["caveats"][-1]


def test_an_error_that_is_not_known_is_said_to_be() -> None:
    """Points with odd numbers alone make a pathway here, so that every second point has none."""
    plan = plan_of("Li3N")
    one = solve(plan.maps[0], 0.5)
    energies = np.full_like(one.energies_eV, np.inf)
    energies[0, 0, 0], energies[1, 1, :] = 0.0, 0.5
    told = frozen_results(plan, [replace(one, energies_eV=energies)], False)
    assert told["barriers_eV"][0] == pytest.approx(0.5) and told["barriers_interval_eV"][0] is None
    assert "error of the 1-D barriers is not known" in told["caveats"][-1]
