"""The MD interface, checked on every engine that is registered: same ports, same outputs, same units."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from aiida import orm
from aiida.engine import run_get_node
from aiida.plugins import WorkflowFactory
from aiida.plugins.entry_point import get_entry_point_names

from aiida_ion.workchains.md.base import MD_PORTS

from ...conftest import OPTIONS

BOLTZMANN_EV_K = 8.617333262e-5
#: amu * (angstrom/fs)^2 in eV.
EV_PER_AMU_A2_FS2 = 103.642696562
ARGON_AMU = 39.948
ENGINES = [name for name in get_entry_point_names("aiida.workflows") if name.startswith("ion.md.")]

Start = Callable[..., orm.WorkChainNode]


@pytest.fixture
def run_md(
    python_code: Any,
    request: pytest.FixtureRequest,
    argon: orm.StructureData,
    md_settings: dict[str, Any],
    lj_potential: Any,
) -> Start:
    """Return a factory: argon on one engine, by the ports that all engines share."""

    def run(entry_point: str, **change: Any) -> orm.WorkChainNode:
        structure = change.pop("structure", argon)
        more = {key: change.pop(key) for key in ("restart_from", "initial_velocities") if key in change}
        engine: dict[str, Any] = {"metadata": {"options": OPTIONS | change.pop("options", {})}}
        if entry_point == "ion.md.mlip":
            engine |= {"code": python_code("ion.mlip_md"), "potential": lj_potential}
        elif entry_point == "ion.md.lammps":
            code = request.getfixturevalue("lammps_code")
            engine |= {"code": code, "potential": orm.Dict({"name": "lennard-jones-argon"})}
        else:
            pytest.fail(f"the contract test does not know how to start {entry_point}: teach it")
        return run_get_node(
            WorkflowFactory(entry_point),
            structure=structure,
            parameters=orm.Dict(md_settings | change),
            charges=orm.Dict({"Ar": 1.0}),
            engine=engine,
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
def test_same_outputs_in_the_same_units(entry_point: str, run_md: Start, argon: orm.StructureData) -> None:
    node = run_md(entry_point, keep=["velocities"])
    assert node.is_finished_ok, node.exit_message
    trajectory, thermo = last_segment(node, "trajectories"), last_segment(node, "thermo")
    assert trajectory.get_array("steps").tolist() == list(range(0, 41, 5))
    assert trajectory.get_times() == pytest.approx(np.arange(0, 41, 5) * 2.0e-3)
    assert trajectory.get_positions().dtype == np.float32
    start = np.array([site.position for site in argon.sites])
    assert trajectory.get_positions()[0] == pytest.approx(start, abs=1e-4)
    assert trajectory.get_cells()[-1] == pytest.approx(np.array(argon.cell), abs=1e-9)
    # Velocities are angstrom/fs: their kinetic temperature is the one that the engine says.
    velocities = trajectory.get_array("velocities").astype(float)
    kinetic = 0.5 * ARGON_AMU * EV_PER_AMU_A2_FS2 * (velocities**2).sum(axis=(1, 2))
    degrees = 3 * len(argon.sites) - 3
    temperatures = thermo.get_array("temperature")[:: trajectory.base.attributes.get("sample_every")]
    assert 2 * kinetic / (degrees * BOLTZMANN_EV_K) == pytest.approx(temperatures, rel=1e-3)
    assert thermo.get_array("steps").tolist() == list(range(41))
    assert temperatures[0] == pytest.approx(60.0, rel=1e-3)
    current = thermo.get_array("charge_current")[::5]
    assert current == pytest.approx(velocities.sum(axis=1), abs=1e-6)
    state = node.outputs.state
    assert state.base.attributes.get("step") == 40
    assert {"positions", "velocities_A_fs", "cell"} <= set(state.get_arraynames())
    assert state.get_array("velocities_A_fs") == pytest.approx(velocities[-1], abs=1e-7)
    cost = node.outputs.cost.get_dict()
    assert cost["n_steps"] == 40
    assert cost["n_atoms"] == 32
    assert cost["hardware"] != []
    assert node.outputs.versions.get_dict()


@pytest.mark.parametrize("entry_point", ENGINES)
@pytest.mark.usefixtures("aiida_profile_clean")
def test_a_continued_run_is_the_undisturbed_run(entry_point: str, run_md: Start) -> None:
    whole = run_md(entry_point)
    half = run_md(entry_point, n_steps=20)
    rest = run_md(entry_point, restart_from=half.outputs.state)
    steps = [last_segment(node, "trajectories").get_array("steps").tolist() for node in (half, rest)]
    assert steps == [[0, 5, 10, 15, 20], [25, 30, 35, 40]]
    expected, found = whole.outputs.state.get_array("positions"), rest.outputs.state.get_array("positions")
    if entry_point == "ion.md.mlip":
        assert (expected == found).all(), "the ASE runner continues bit for bit"
    assert found == pytest.approx(expected, abs=1e-6)
    assert last_segment(rest, "thermo").get_array("steps").tolist() == list(range(21, 41))


@pytest.mark.parametrize("entry_point", ENGINES)
@pytest.mark.usefixtures("aiida_profile_clean")
def test_an_exploding_run_keeps_its_frames(entry_point: str, run_md: Start) -> None:
    node = run_md(entry_point, timestep_fs=400.0, n_steps=400, thermostat_time_fs=1e5)
    assert node.exit_status == 410, node.exit_message
    assert "exploded" in node.exit_message
    assert last_segment(node, "trajectories").numsteps >= 1


@pytest.mark.parametrize("entry_point", ENGINES)
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"temperature_K": 0.0}, "temperature_K must be a positive number"),
        ({"timestep_fs": -1.0}, "timestep_fs must be a positive number"),
        ({"thermostat": "andersen"}, "thermostat must be one of"),
    ],
)
@pytest.mark.usefixtures("aiida_profile")
def test_bad_input_is_refused_before_anything_runs(
    entry_point: str, run_md: Start, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        run_md(entry_point, **change)
