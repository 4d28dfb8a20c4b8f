"""From the options of ``aiida-ion run`` to checked builders, and from those to submitted work chains."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from aiida import orm
from aiida.engine import submit
from aiida.plugins import WorkflowFactory

from aiida_ion.analysis.structure import supercell_multiples
from aiida_ion.calculations.lammps import validate_lammps_inputs
from aiida_ion.calculations.md import symbols_of
from aiida_ion.cli.common import one_line
from aiida_ion.cli.structures import structure_node
from aiida_ion.cli.tables import duration
from aiida_ion.engines.codes import Engine, diffusion_code, load_engine, read_lammps_potential
from aiida_ion.units import FS_PER_PS

#: Option -> where its value stands in the protocol.
OVERRIDES: dict[str, tuple[str, ...]] = {
    "temperatures": ("temperatures_K",),
    "seeds": ("seeds",),
    "target_temperature_k": ("target_temperature_K",),
    "supercell": ("supercell",),
    "min_width_a": ("min_width_A",),
    "mobile_species": ("mobile_species",),
    "charges": ("charges",),
    "max_concurrent": ("max_concurrent",),
    "time_ps": ("md", "total_time_ps"),
    "timestep_fs": ("md", "timestep_fs"),
    "sample_every": ("md", "sample_every"),
    "thermostat": ("md", "thermostat"),
    "ensemble": ("md", "ensemble"),
}


@dataclass(frozen=True)
class Plan:
    """One work chain to be.

    :param title: the crystal and the engine, as the user named them.
    :param engine: the engine.
    :param builder: its inputs.
    :param level_of_theory: the name that the results will carry.
    """

    title: str
    engine: Engine
    builder: Any
    level_of_theory: str


def make_plans(structures: Sequence[str], engines: Sequence[str], given: Mapping[str, Any]) -> list[Plan]:
    """Return a plan for each crystal with each engine.

    :param structures: files, pks or uuids.
    :param engines: names of engines.
    :param given: the other options of the command.
    :raises ValueError: naming the crystal and engine that cannot be run, and why.
    """
    loaded = [load_engine(name) for name in dict.fromkeys(engines)]
    _check_options(loaded, given)
    crystals = [(name, structure_node(name)) for name in dict.fromkeys(structures)]
    n_plans = len(crystals) * len(loaded)
    return [_plan(name, node, engine, given, n_plans) for name, node in crystals for engine in loaded]


def _check_options(engines: Sequence[Engine], given: Mapping[str, Any]) -> None:
    """Refuse options that none of the engines would read."""
    kinds = {engine.entry_point for engine in engines}
    if given.get("potential") and "ion.md.lammps" not in kinds:
        raise ValueError("--potential is for LAMMPS; an ASE engine has its own, see 'aiida-ion engine list'")
    for name in ("model", "device"):
        if given.get(name) and "ion.md.mlip" not in kinds:
            raise ValueError(f"--{name} is for ASE engines; LAMMPS takes it from the commands of its potential")


def collect_overrides(given: Mapping[str, Any], cores_per_plan: int | None = None) -> dict[str, Any]:
    """Return what changes in the protocol: the file first, then the options.

    :param given: options of the command.
    :param cores_per_plan: jobs side by side where nothing else is said.
    """
    overrides: dict[str, Any] = {}
    if given.get("overrides_file"):
        overrides = yaml.safe_load(Path(given["overrides_file"]).read_text()) or {}
        if not isinstance(overrides, dict):
            raise ValueError(f"{given['overrides_file']}: must hold a mapping")
    for option, path in OVERRIDES.items():
        if given.get(option) is not None:
            _put(overrides, path, given[option])
    if given.get("time_ps") is not None:
        _put(overrides, ("md", "n_steps"), None)
    if given.get("equilibration_ps") is not None:
        _put(overrides, ("md", "equilibration_fs"), given["equilibration_ps"] * FS_PER_PS)
    if given.get("no_relax"):
        overrides["relax_ions"] = False
    if cores_per_plan is not None:
        overrides.setdefault("max_concurrent", cores_per_plan)
    return overrides


def check(plans: Sequence[Plan]) -> None:
    """Check every builder as its submission would.

    :raises ValueError: naming the first that cannot be submitted, and why.
    """
    for plan in plans:
        problem = plan.builder._process_spec.inputs.validate(plan.builder._inputs(prune=True))
        if problem is not None:
            raise ValueError(f"{plan.title}: {one_line(problem.message)}")
        if plan.engine.entry_point == "ion.md.lammps":
            unfit = validate_lammps_inputs(plan.builder.md.engine, symbols_of(plan.builder.structure))
            if unfit is not None:
                raise ValueError(f"{plan.title}: {unfit}")


def submit_plans(plans: Sequence[Plan], group_label: str | None) -> list[int]:
    """Submit the plans, in a group where one is named; return the pks."""
    group = orm.Group.collection.get_or_create(group_label)[0] if group_label else None
    pks = []
    for plan in plans:
        node = submit(plan.builder)
        pks.append(int(node.pk or 0))
        if group is not None:
            group.add_nodes([node])
    return pks


def describe(plan: Plan) -> str:
    """Return what a plan will run in one line, with its cost where the engine was tested."""
    parameters, md = plan.builder.parameters.get_dict(), plan.builder.md.parameters.get_dict()
    structure = plan.builder.structure
    multiples = parameters.get("supercell") or supercell_multiples(
        structure.get_ase().cell.array, parameters["min_width_A"], rule=parameters["supercell_rule"]
    )
    n_atoms = len(structure.sites) * int(multiples[0]) * int(multiples[1]) * int(multiples[2])
    n_runs = len(parameters["temperatures_K"]) * len(parameters["seeds"])
    charges = ", ".join(f"{element} {charge:+g}" for element, charge in parameters["charges"].items())
    length_ps = md["n_steps"] * md["timestep_fs"] / FS_PER_PS
    runs = f"{n_runs} run{'s' if n_runs > 1 else ''} of {length_ps:g} ps"
    what = f"{parameters['formula']} with {plan.level_of_theory}, {parameters['mobile_species']} mobile ({charges})"
    line = f"{plan.title}: {what}, {n_atoms} atoms, {runs}"
    if plan.engine.entry_point == "ion.md.mlip" and not plan.engine.tested:
        line += f" (untested: 'aiida-ion engine test {plan.engine.name}' pins its checkpoint)"
    rate, tested_atoms = plan.engine.tested.get("steps_per_s"), plan.engine.tested.get("n_atoms")
    if rate and tested_atoms:
        seconds = n_runs * md["n_steps"] / rate * max(1.0, n_atoms / tested_atoms)
        line += f", very roughly {duration(seconds)} of computing"
    return line


def _plan(name: str, structure: orm.StructureData, engine: Engine, given: Mapping[str, Any], n_plans: int) -> Plan:
    title = f"{name} / {engine.name}"
    local = engine.code.computer.label == "localhost"
    share = max(1, (os.cpu_count() or 1) // (given["threads"] * n_plans)) if local else None
    chain: Any = WorkflowFactory("ion.conductivity")
    md: Any = WorkflowFactory(engine.entry_point)
    try:
        inputs, files = engine_inputs(engine, given)
        builder = chain.get_builder_from_protocol(
            structure,
            engine=engine.entry_point,
            protocol=given.get("protocol"),
            overrides=collect_overrides(given, share),
            diffusion_code=diffusion_code(),
            options=job_options(given),
            **inputs,
        )
        if files:
            builder.md.engine = dict(builder.md.engine) | {"files": files}
        level = md.level_of_theory(builder.md.engine)
    except ValueError as error:
        raise ValueError(f"{title}: {one_line(error)}") from error
    builder.metadata.label = f"{builder.parameters.get_dict()['formula']} {level}"
    return Plan(title, engine, builder, level)


def engine_inputs(engine: Engine, given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, orm.SinglefileData]]:
    """Return the engine's own inputs, and the files that its potential reads.

    The hash of the checkpoint that the engine was tested with goes along, so that another one is refused.
    """
    if engine.entry_point == "ion.md.lammps":
        potential, files = engine.potential, engine.files
        if given.get("potential"):
            potential, files = read_lammps_potential(given["potential"])
        if not potential:
            raise ValueError("this engine needs --potential: a published one, or a YAML file with commands")
        return {"code": engine.code, "potential": potential}, files
    changed = {key: given[key] for key in ("model", "device") if given.get(key)}
    potential = engine.potential | changed
    inputs: dict[str, Any] = {"code": engine.code}
    if changed.get("model") not in (None, engine.potential.get("model")):
        potential.pop("checkpoint_sha256", None)  # it was that of the engine's own model
    elif engine.checkpoint is not None:
        inputs["checkpoint"] = engine.checkpoint
    return inputs | {"potential": potential}, {}


def job_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``metadata.options`` of the jobs."""
    resources = {"num_machines": 1, "num_mpiprocs_per_machine": 1, "num_cores_per_mpiproc": given["threads"]}
    options: dict[str, Any] = {"resources": resources, "withmpi": False}
    if given.get("walltime_s"):
        options["max_wallclock_seconds"] = given["walltime_s"]
    return options | (given.get("job_options") or {})


def _put(overrides: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for key in path[:-1]:
        overrides = overrides.setdefault(key, {})
    overrides[path[-1]] = value
