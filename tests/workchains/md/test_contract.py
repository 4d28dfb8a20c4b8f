"""The MD interface, checked on every engine that is registered: same ports, same outputs, same units."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from aiida import orm
from aiida.engine import run_get_node
from aiida.plugins import WorkflowFactory
from aiida.plugins.entry_point import get_entry_point_names
from ase import units

from aiida_ion.fingerprints import short_sha256
from aiida_ion.starting_velocities import starting_velocities
from aiida_ion.workchains.md.base import MD_PORTS
from tests.conftest import OPTIONS

BOLTZMANN_EV_K = 8.617333262e-5
#: amu * (angstrom/fs)^2 in eV.
EV_PER_AMU_A2_FS2 = 103.642696562
ENGINES = [name for name in get_entry_point_names("aiida.workflows") if name.startswith("ion.md.")]

Start = Callable[..., orm.WorkChainNode]


@dataclass(frozen=True)
class Case:
    """What an engine is tried on, and how well it must continue.

    :param structure: fixture of the crystal.
    :param settings: MD settings of a short run.
    :param deterministic: settings under which two runs are the same; csvr draws random numbers where it has no seed.
    :param tolerance_A: how far a continued run may be from the undisturbed one; zero is to the last bit.
    :param explosive: settings under which the crystal flies apart.
    :param leap_frog: takes starting velocities for those of half a step before, and lets csvr act on the first step.
    """

    structure: str
    settings: dict[str, Any]
    deterministic: dict[str, Any] = field(default_factory=dict)
    tolerance_A: float = 1e-6
    explosive: dict[str, Any] = field(default_factory=dict)
    leap_frog: bool = False


ARGON = {"temperature_K": 60.0, "timestep_fs": 2.0, "n_steps": 40, "sample_every": 5, "seed": 7}
#: Atoms that move more than half an angstrom a step run into each other.
ARGON_EXPLODES = {"temperature_K": 2000.0, "timestep_fs": 100.0, "n_steps": 400, "thermostat_time_fs": 1e5}
OXIDE = {"temperature_K": 300.0, "timestep_fs": 1.0, "n_steps": 8, "sample_every": 2, "seed": 7}
OXIDE_EXPLODES = {"temperature_K": 20.0, "max_temperature_ratio": 1.05, "ensemble": "nve"}
CASES = {
    "ion.md.mlip": Case("argon", ARGON, tolerance_A=0.0, explosive=ARGON_EXPLODES),
    "ion.md.lammps": Case("argon", ARGON, explosive=ARGON_EXPLODES),
    "ion.md.quantumespresso": Case("lithium_oxide", OXIDE, {"ensemble": "nve"}, 1e-5, OXIDE_EXPLODES),
    "ion.md.vasp": Case("lithium_oxide", OXIDE, {"ensemble": "nve"}, 1e-6, OXIDE_EXPLODES, leap_frog=True),
}


def engine_of(entry_point: str, request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return the engine namespace of an engine, for the crystal of its case."""
    if entry_point == "ion.md.mlip":
        code = request.getfixturevalue("python_code")("ion.mlip_md")
        return {"code": code, "potential": request.getfixturevalue("lj_potential")}
    if entry_point == "ion.md.lammps":
        return {"code": request.getfixturevalue("lammps_code"), "potential": orm.Dict({"name": "lennard-jones-argon"})}
    if entry_point not in CASES:
        pytest.fail(f"the contract test does not know how to start {entry_point}: teach it")
    engine: dict[str, Any] = request.getfixturevalue(f"{entry_point.rpartition('.')[2]}_engine")
    return engine


@pytest.fixture
def run_md(request: pytest.FixtureRequest) -> Start:
    """Return a factory: a crystal on one engine, by the ports that all engines share."""

    def run(entry_point: str, **change: Any) -> orm.WorkChainNode:
        case = CASES[entry_point]
        structure = change.pop("structure", None) or request.getfixturevalue(case.structure)
        more = {key: change.pop(key) for key in ("restart_from", "initial_velocities") if key in change}
        engine = engine_of(entry_point, request)
        options = OPTIONS | engine.get("metadata", {}).get("options", {}) | change.pop("options", {})
        symbols = sorted(structure.get_symbols_set())
        return run_get_node(
            WorkflowFactory(entry_point),
            structure=structure,
            parameters=orm.Dict(case.settings | change),
            charges=orm.Dict({symbol: 1.0 + index for index, symbol in enumerate(symbols)}),
            engine=engine | {"metadata": {"options": options}},
            **more,
        )[1]

    return run


def last_segment(node: orm.WorkChainNode, namespace: str) -> Any:
    return node.outputs[namespace][sorted(node.outputs[namespace])[-1]]


@pytest.mark.parametrize("entry_point", ENGINES)
def test_same_ports(entry_point: str) -> None:
    spec = WorkflowFactory(entry_point).spec()
    assert {*MD_PORTS, "engine"} <= set(spec.inputs)
    assert {"trajectories", "thermo", "state", "cost", "versions"} <= set(spec.outputs)
    assert {410, 500, 510} <= {code.status for code in spec.exit_codes.values()}


@pytest.mark.parametrize("entry_point", ENGINES)
@pytest.mark.usefixtures("aiida_profile_clean")
def test_same_outputs_in_the_same_units(entry_point: str, run_md: Start, request: pytest.FixtureRequest) -> None:
    case = CASES[entry_point]
    structure = request.getfixturevalue(case.structure)
    n_steps, every, timestep_fs = (case.settings[name] for name in ("n_steps", "sample_every", "timestep_fs"))
    steps = list(range(0, n_steps + 1, every))
    node = run_md(entry_point, keep=["velocities"])
    assert node.is_finished_ok, node.exit_message
    trajectory, thermo = last_segment(node, "trajectories"), last_segment(node, "thermo")
    assert trajectory.get_array("steps").tolist() == steps
    assert trajectory.get_times() == pytest.approx(np.array(steps) * timestep_fs * 1e-3)
    assert trajectory.get_positions().dtype == np.float32
    start = np.array([site.position for site in structure.sites])
    assert trajectory.get_positions()[0] == pytest.approx(start, abs=1e-4)
    assert trajectory.get_cells()[-1] == pytest.approx(np.array(structure.cell), abs=1e-6)
    # Velocities are angstrom/fs: their kinetic temperature is the one that the engine says.
    velocities = trajectory.get_array("velocities").astype(float)
    masses = structure.get_ase().get_masses()
    kinetic = 0.5 * EV_PER_AMU_A2_FS2 * (masses[:, None] * velocities**2).sum(axis=(1, 2))
    degrees = 3 * len(structure.sites) - 3
    temperatures = thermo.get_array("temperature")[:: trajectory.base.attributes.get("sample_every")]
    assert 2 * kinetic / (degrees * BOLTZMANN_EV_K) == pytest.approx(temperatures, rel=1e-3)
    assert thermo.get_array("steps").tolist() == list(range(n_steps + 1))
    # The same seed gives every engine the same start.
    drawn = starting_velocities(masses, case.settings["temperature_K"], case.settings["seed"])
    if case.leap_frog:
        drawn += 0.5 * timestep_fs * trajectory.get_array("forces")[0] / masses[:, None] / EV_PER_AMU_A2_FS2
        drawn *= np.linalg.norm(velocities[0]) / np.linalg.norm(drawn)
    else:
        assert temperatures[0] == pytest.approx(case.settings["temperature_K"], rel=1e-3)
    assert velocities[0] == pytest.approx(drawn, abs=1e-6)
    charges = node.inputs.charges.get_dict()
    by_atom = np.array([charges[symbol] for symbol in trajectory.symbols])
    current = thermo.get_array("charge_current")[::every]
    assert current == pytest.approx(np.einsum("a,tai->ti", by_atom, velocities), abs=1e-6)
    state = node.outputs.state
    assert state.base.attributes.get("step") == n_steps
    assert {"positions", "velocities_A_fs", "cell"} <= set(state.get_arraynames())
    assert state.get_array("velocities_A_fs") == pytest.approx(velocities[-1], abs=1e-7)
    cost = node.outputs.cost.get_dict()
    assert cost["n_steps"] == n_steps
    versions = node.outputs.versions
    digest = short_sha256(versions["level_of_theory_fingerprint"])
    assert versions["level_of_theory_sha256"] == digest == trajectory.base.attributes.get("level_of_theory_sha256")
    if WorkflowFactory(entry_point).is_dft:
        volume = structure.get_cell_volume()
        trace = thermo.get_array("stress")[:, :3].sum(axis=1)
        moving = 2 * thermo.get_array("kinetic_energy") / volume
        assert np.isfinite(trace).all() and thermo.get_array("stress").shape == (n_steps + 1, 6)
        assert thermo.get_array("pressure") == pytest.approx((moving - trace) / 3 / units.GPa, rel=1e-4)
    assert cost["n_atoms"] == len(structure.sites)
    assert cost["hardware"] != []
    assert node.outputs.versions.get_dict()


#: The tests of the DFT engines themselves kill and continue their runs, too.
CONTINUED = [pytest.param(name, marks=pytest.mark.slow if WorkflowFactory(name).is_dft else ()) for name in ENGINES]


@pytest.mark.parametrize("entry_point", CONTINUED)
@pytest.mark.usefixtures("aiida_profile_clean")
def test_a_continued_run_is_the_undisturbed_run(entry_point: str, run_md: Start) -> None:
    case = CASES[entry_point]
    n_steps, every = case.settings["n_steps"], case.settings["sample_every"]
    whole = run_md(entry_point, **case.deterministic)
    half = run_md(entry_point, **case.deterministic, n_steps=n_steps // 2)
    rest = run_md(entry_point, **case.deterministic, restart_from=half.outputs.state)
    steps = [last_segment(node, "trajectories").get_array("steps").tolist() for node in (half, rest)]
    assert steps[0] + steps[1] == list(range(0, n_steps + 1, every))
    assert steps[1][0] == n_steps // 2 + every
    expected, result = whole.outputs.state.get_array("positions"), rest.outputs.state.get_array("positions")
    assert result == pytest.approx(expected, abs=case.tolerance_A, rel=0.0)
    assert last_segment(rest, "thermo").get_array("steps").tolist() == list(range(n_steps // 2 + 1, n_steps + 1))


@pytest.mark.parametrize("entry_point", ENGINES)
@pytest.mark.usefixtures("aiida_profile_clean")
def test_an_exploding_run_keeps_its_frames(entry_point: str, run_md: Start) -> None:
    node = run_md(entry_point, **CASES[entry_point].explosive)
    assert node.exit_status == 410, node.exit_message
    assert "exploded" in node.exit_message
    assert last_segment(node, "trajectories").numsteps >= 1


@pytest.mark.parametrize("entry_point", ENGINES)
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"temperature_K": 0.0}, "temperature_K must be a number from 1 to 10,000 K, got 0.0"),
        ({"timestep_fs": -1.0}, r"timestep_fs must be a number from 0\.001 to 100 fs, got -1\.0"),
        ({"thermostat": "andersen"}, "thermostat must be one of"),
    ],
)
@pytest.mark.usefixtures("aiida_profile")
def test_bad_input_is_refused_before_anything_runs(
    entry_point: str, run_md: Start, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        run_md(entry_point, **change)
