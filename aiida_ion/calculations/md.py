"""The MD interface of a CalcJob: ports, outputs with units, and how a finished or broken run is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from aiida import orm
from aiida.engine import ExitCode
from numpy.typing import NDArray

from aiida_ion.calculations.script import ScriptParser
from aiida_ion.calculations.trajectory_data import state_node, thermo_node, trajectory_node
from aiida_ion.endings import Ending
from aiida_ion.fingerprints import FINGERPRINT_SHA256
from aiida_ion.settings.md import MdSettings
from aiida_ion.settings.schema import summary
from aiida_ion.settings.values import SettingsError
from aiida_ion.settings.watch import RunWatch


@dataclass(frozen=True)
class MdRun:
    """The results of a run, in the units of the MD interface.

    :param status: status word of the program; ``None`` if it was killed before it wrote one.
    :param message: one sentence about the status.
    :param steps: shape (n,), the integration steps of the frames.
    :param positions: shape (n, N, 3), angstrom, unwrapped.
    :param cells: shape (3, 3) or (n, 3, 3), angstrom.
    :param thermo: structured rows, one a step.
    :param state: arrays of the restart file, empty when there is none.
    :param extra: ``velocities`` (angstrom/fs) and ``forces`` (eV/angstrom) when kept.
    :param cost: cost ledger, empty when the program was killed.
    :param versions: versions and hashes, empty when the program was killed.
    """

    status: str | None
    message: str
    steps: NDArray[np.int64]
    positions: NDArray[Any]
    cells: NDArray[np.float64]
    thermo: NDArray[Any]
    state: Mapping[str, NDArray[Any]]
    extra: Mapping[str, NDArray[Any]]
    cost: Mapping[str, Any]
    versions: Mapping[str, Any]


def define_md_ports(spec: Any) -> None:
    """Declare the ports that every MD job has, with the same names and units."""
    spec.input("structure", valid_type=orm.StructureData, help="The periodic cell that is simulated, angstrom.")
    spec.input(
        "parameters",
        valid_type=orm.Dict,
        validator=validate_md_parameters,
        help=f"MD settings. {summary(MdSettings)}.",
    )
    spec.input(
        "charges",
        valid_type=orm.Dict,
        required=False,
        help="Formal charge of each element, e, for the charge current; zero where absent.",
    )
    spec.input(
        "restart_from",
        valid_type=orm.ArrayData,
        required=False,
        help="The `state` of an earlier segment: the run continues exactly there, up to `n_steps` in total.",
    )
    spec.input(
        "initial_velocities",
        valid_type=orm.ArrayData,
        required=False,
        help="Array `velocities` of shape (N, 3), angstrom/fs, instead of a Maxwell-Boltzmann draw from the seed.",
    )
    spec.output(
        "trajectory",
        valid_type=orm.TrajectoryData,
        required=False,
        help="Frames: positions in angstrom, unwrapped; times in ps; cells in angstrom.",
    )
    spec.output(
        "thermo",
        valid_type=orm.ArrayData,
        required=False,
        help="Every step: energies (eV), temperature (K), largest force (eV/angstrom), charge current (e*angstrom/fs); "
        "of DFT also stress (eV/angstrom^3, positive when stretched) and pressure (GPa).",
    )
    spec.output(
        "state",
        valid_type=orm.ArrayData,
        required=False,
        help="Positions (angstrom), velocities (angstrom/fs), thermostat: what an exact continuation needs.",
    )
    spec.output(
        "cost", valid_type=orm.Dict, required=False, help="Wall, CPU and GPU time (s), peak memory (MiB), steps per s."
    )
    spec.output(
        "versions",
        valid_type=orm.Dict,
        required=False,
        help="Versions of everything that mattered, checkpoint sha256, fingerprint of the level of theory.",
    )


def validate_md_parameters(value: orm.Dict | None, _: Any) -> str | None:
    """Return what is wrong with MD settings; ``None`` if nothing is."""
    try:
        MdSettings.from_dict(value.get_dict() if value is not None else {})
    except SettingsError as error:
        return str(error)
    return None


def validate_md_inputs(inputs: Mapping[str, Any], _: Any) -> str | None:
    """Return what does not match among the inputs of an MD job; ``None`` if everything does."""
    structure, state = inputs.get("structure"), inputs.get("restart_from")
    if structure is None or inputs.get("parameters") is None:
        return None
    try:
        symbols_of(structure)
    except ValueError as error:
        return str(error)
    n_atoms = len(structure.sites)
    for name, node, array in (
        ("restart_from", state, "positions"),
        ("initial_velocities", inputs.get("initial_velocities"), "velocities"),
    ):
        if node is None:
            continue
        if array not in node.get_arraynames():
            return f"{name} has no array {array!r}"
        if tuple(node.get_shape(array)) != (n_atoms, 3):
            return f"{name} holds {node.get_shape(array)[0]} atoms, the structure has {n_atoms}"
    n_steps = inputs["parameters"].get_dict()["n_steps"]
    if state is not None and state.base.attributes.get("step", 0) >= n_steps:
        return f"restart_from is at step {state.base.attributes.get('step')}; n_steps is the total and must be larger"
    return None


def symbols_of(structure: orm.StructureData) -> list[str]:
    """Return the element of each site.

    :raises ValueError: for a site that is not fully occupied by one element, with its name and occupancies.
    """
    for kind in structure.kinds:
        if kind.is_alloy or kind.has_vacancies:
            weights = ", ".join(f"{s} {w:g}" for s, w in zip(kind.symbols, kind.weights, strict=True))
            raise ValueError(f"site {kind.name} is partly occupied ({weights}); give an ordered structure")
    return [structure.get_kind(site.kind_name).symbols[0] for site in structure.sites]


def md_outputs(
    run: MdRun, symbols: list[str], settings: MdSettings, watch: orm.Dict | None = None
) -> dict[str, orm.Data]:
    """Return the output nodes of a run, as far as it has results.

    :param watch: the input of that name, where the run was watched.
    """
    outputs: dict[str, orm.Data] = {}
    if len(run.steps):
        outputs["trajectory"] = trajectory_node(
            symbols, run.steps, run.positions, run.cells, timestep_fs=settings.timestep_fs, extra=run.extra
        )
        outputs["trajectory"].base.attributes.set_many(
            {
                "sample_every": settings.sample_every,
                "equilibration_fs": settings.equilibration_fs,
                "target_temperature_K": settings.temperature_K,
                "seed": settings.seed,
                **({"watched": RunWatch.from_dict(watch.get_dict()).rule} if watch is not None else {}),
                **{key: value for key, value in run.versions.items() if key == FINGERPRINT_SHA256},
            }
        )
    if len(run.thermo):
        outputs["thermo"] = thermo_node(run.thermo, settings.timestep_fs, settings.ensemble)
    if run.state:
        outputs["state"] = state_node(run.state)
    if run.cost:
        outputs["cost"] = orm.Dict(dict(run.cost))
    if run.versions:
        outputs["versions"] = orm.Dict(dict(run.versions))
    return outputs


#: Statuses of a run that was ended by something other than its physics; ``None``: the cause is unknown.
EARLY = (None, "walltime", "terminated", "disk_full")


def early_exit(parser: ScriptParser, start_step: int, run: MdRun, ending: Ending) -> ExitCode:
    """Return the exit code of a run that ended early. One that made progress can be continued, whatever stopped it.

    :param start_step: the step at which the job started.
    :param ending: why it ended.
    """
    if progressed(start_step, run):
        return parser.exit_code("ERROR_OUT_OF_WALLTIME", ending.message)
    return parser.exit_code_of_ending(ending, "ERROR_OUT_OF_WALLTIME_NO_RESTART")


def progressed(start_step: int, run: MdRun) -> bool:
    """Whether a run left a later state than that from which its job started."""
    return bool(run.state) and int(run.state["step"]) > start_step


def start_step(inputs: Any) -> int:
    """Return the step at which a job starts: that of the state it continues, or zero."""
    return int(inputs["restart_from"].base.attributes.get("step")) if "restart_from" in inputs else 0
