"""``aiida-ion barrier``: the plan, what is refused, and the table of a finished work chain."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from aiida import orm
from aiida.engine import run_get_node
from ase.build import bulk

from aiida_ion.campaigns.barriers import BarrierRequest, barrier_builder
from aiida_ion.cli.barrier import PLACES, overrides_of
from aiida_ion.cli.text.barriers import barrier_lines
from tests.cli.conftest import Invoke


def test_the_plan_lists_the_hops(invoke: Invoke, lj_engine: str, crystal_file: Path) -> None:
    output = invoke("barrier", crystal_file, "--engine", lj_engine, "--dry-run").output
    assert "Li3N, P6/mmm: 2 inequivalent hops of Li up to 2.862 angstrom, connected in 3D" in output
    assert "cells of 107 atoms (3 x 3 x 3)" in output
    assert "equivalent ends: hop_01" in output
    assert "Nothing was submitted" in output
    plane = invoke("barrier", crystal_file, "--engine", lj_engine, "--dry-run", "--cutoff-A", "2.5").output
    assert "1 inequivalent hops of Li up to 2.500 angstrom, connected in 2D" in plane


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--mobile-species", "Na"), "no Na in Li3N"),
        (("--cutoff-A", "1.5"), "form no network; one forms at 2.106 angstrom"),
        (("--vacancy-concentration", "2"), "--vacancy-concentration must be a number above 0 and below 1"),
        (("--dft", "toy"), "toy is not a DFT engine"),
        (("--dft-band-code", "neb"), "name the engine with --dft"),
        (("--overrides", '{"hop": {"images": 5}}'), "did you mean n_images?"),
        (("--protocol", "quick"), "unknown protocol"),
    ],
)
def test_what_cannot_be_computed_is_said_in_one_line(
    invoke: Invoke, lj_engine: str, crystal_file: Path, options: tuple[str, ...], message: str
) -> None:
    result = invoke("barrier", crystal_file, "--engine", lj_engine, "--dry-run", *options, code=1)
    assert message in result.output
    assert len(result.output.strip().splitlines()[-1]) < 400
    assert "Traceback" not in result.output


def test_options_go_to_their_places() -> None:
    given: dict[str, Any] = dict.fromkeys([*PLACES, "no_relax", "overrides"])
    given |= {"temperature": 500.0, "supercell": [2, 2, 2]}
    given["overrides"] = {"transport": {"seed": 3}, "hop": {"n_images": 9}}
    before = {"transport": {"seed": 3}, "hop": {"n_images": 9}}
    assert overrides_of(given | {"no_relax": True}) == {
        "transport": {"seed": 3, "temperature_K": 500.0},
        "hop": {"n_images": 9},
        "search": {"supercell": [2, 2, 2]},
        "relax_ions": False,
    }
    assert given["overrides"] == before


@pytest.mark.slow
def test_a_finished_work_chain_is_shown_as_a_table(invoke: Invoke, lj_engine: str) -> None:
    crystal = orm.StructureData(ase=bulk("Ar", "fcc", a=5.26, cubic=True))
    overrides = {
        "search": {"mobile_species": "Ar", "supercell": [2, 2, 2]},
        "hop": {"max_force_eV_A": 0.005},
        "transport": {"temperature_K": 80.0, "n_copies": 4, "n_windows": 4, "charge_e": 1.0},
    }
    node = run_get_node(barrier_builder(crystal, BarrierRequest(lj_engine, overrides=overrides)))[1]
    assert node.is_finished_ok, node.exit_message
    output = invoke("show", node.pk).output
    row = next(line for line in output.splitlines() if line.strip().startswith("hop_01"))
    assert "midpoint" in row and "converged" in row
    assert "migration barrier by Lennard-Jones: 1D 0.0" in output
    assert "with exclusion (kinetic Monte Carlo), S/m:" in output
    assert "vacancies on 1 % of sites (an input)" in output


@pytest.mark.slow
def test_the_command_submits_waits_and_prints(invoke: Invoke, lj_engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import aiida_ion.cli.barrier as module

    monkeypatch.setattr(module, "require_daemon", lambda _: None)
    monkeypatch.setattr("aiida.engine.submit", lambda builder: run_get_node(builder)[1])
    crystal = orm.StructureData(ase=bulk("Ar", "fcc", a=5.26, cubic=True)).store()
    words = ("barrier", crystal.pk, "--engine", lj_engine, "--mobile-species", "Ar", "--supercell", "2,2,2")
    short = '{"transport": {"kinetic_monte_carlo": false}}'
    result = invoke(*words, "--temperature", 80, "--overrides", short, "--wait", "--group", "toys")
    assert "Ar, Fm-3m: 1 inequivalent hops of Ar up to 3.719 angstrom" in result.output
    assert "migration barrier by Lennard-Jones: 1D 0.0" in result.output
    (chain,) = orm.Group.collection.get(label="toys").nodes
    assert f"Submitted the barriers: {chain.pk}" in result.output
    refused = invoke(*words, "--overrides", '{"hop": {"max_path_A": 3.0}}', "--no-relax", "--wait", code=1)
    assert "wrong image" in refused.output
    assert "Not one hop has a barrier: hop_01: wrong_image" in refused.output


def test_bounds_and_missing_hops_are_seen_in_the_text() -> None:
    hops = [{"label": "hop_01", "first": 0, "second": 1, "length_A": 2.1, "multiplicity": 3}]
    lines = barrier_lines(
        {
            "hops": {"network": {"hops": hops}},
            "barriers": {"level_of_theory": "toy", "hops": {"hop_01": {"verdict": "fell_back", "calls": 3}}},
            "network": {
                "formula": "Li3N",
                "level_of_theory": "toy",
                "barriers_eV": [0.1, None, None],
                "is_bound": True,
                "caveats": ["Without a barrier: hop_01 (fell_back)."],
            },
            "formation": {"defect": "vacancy", "formation_energy_eV": 1.25},
        }
    )
    text = "\n".join(lines)
    assert "fell back" in text
    assert "1D <= 0.1 eV, 2D not connected" in text
    assert "caveat: Without a barrier: hop_01" in text
    assert "formation energy of a neutral vacancy: 1.25 eV, which is in no barrier" in text
