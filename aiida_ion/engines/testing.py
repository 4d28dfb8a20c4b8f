"""A real job of a few steps, to see that an engine works and what it is."""

from __future__ import annotations

import json
from typing import Any

from aiida import orm
from aiida.common import exceptions
from aiida.common.log import override_log_level
from aiida.engine import run_get_node
from aiida.plugins import CalculationFactory, WorkflowFactory

from aiida_ion.calculations.cleaning import clean_jobs
from aiida_ion.calculations.script import FILENAME_RESULTS
from aiida_ion.engines.codes import DFT, Engine, remember_test
from aiida_ion.engines.jobs import engine_choices, job_options

N_STEPS = 20
N_STEPS_DFT = 5
#: A cell that a potential knows, where it is not Li2O: element, lattice, cell edge in angstrom, kelvin.
SIMPLE_CELLS: dict[str, tuple[str, float, float]] = {
    "lj": ("Ar", 5.26, 40.0),
    "lennard-jones-argon": ("Ar", 5.26, 40.0),
    "emt": ("Cu", 3.61, 300.0),
}
DEFAULT_LAMMPS = {"name": "lennard-jones-argon"}


def test_cell(engine: Engine) -> tuple[orm.StructureData, float]:
    """Return a small crystal that an engine knows, and a temperature at which it is solid, K."""
    from ase.build import bulk

    if engine.entry_point in DFT:
        return orm.StructureData(ase=bulk("OLi2", "fluorite", a=4.62)), 300.0
    potential = str((engine.potential or DEFAULT_LAMMPS).get("name"))
    if potential in SIMPLE_CELLS:
        element, edge, temperature_K = SIMPLE_CELLS[potential]
        return orm.StructureData(ase=bulk(element, "fcc", a=edge, cubic=True).repeat(2)), temperature_K
    if potential == "gillan-caf2-1986":
        return orm.StructureData(ase=bulk("CaF2", "fluorite", a=5.46, cubic=True)), 300.0
    return orm.StructureData(ase=bulk("OLi2", "fluorite", a=4.62, cubic=True)), 300.0


def run_test(
    engine: Engine, structure: orm.StructureData | None = None, n_steps: int | None = None
) -> tuple[Engine, Any]:
    """Run a few steps here and now, never from the cache; note versions and checkpoint when they came through.

    :param engine: the engine.
    :param structure: a crystal that its potential knows; a small one of ours when not given.
    :param n_steps: steps of 1 fs; fewer by default where each costs more.
    :returns: the engine with what was found, and the node of the job.
    """
    cell, temperature_K = test_cell(engine)
    md: Any = WorkflowFactory(engine.entry_point)
    job: Any = CalculationFactory(engine.job)
    builder = job.get_builder()
    builder.structure = structure or cell
    choices = engine_choices(engine)
    if engine.entry_point == "ion.md.lammps":
        choices["potential"] = engine.potential or DEFAULT_LAMMPS
    for name, value in md.engine_inputs(builder.structure, "fast", **choices).items():
        setattr(builder, name, value)
    builder.parameters = orm.Dict(
        {
            "temperature_K": temperature_K,
            "timestep_fs": 1.0,
            "n_steps": n_steps or (N_STEPS_DFT if engine.entry_point in DFT else N_STEPS),
            "sample_every": 5,
            "seed": 1,
        }
    )
    builder.metadata.options = job_options(engine)
    builder.metadata.disable_cache = True
    builder.metadata.label = f"test of {engine.name}"
    with override_log_level():  # the caller says what went wrong, in one line
        node = run_get_node(builder)[1]
    if node.is_finished_ok:
        clean_jobs([node])
        engine = remember_test(engine, node.outputs.versions.get_dict(), node.outputs.cost.get_dict())
    return engine, node


def refused_checkpoint(job: Any) -> dict[str, str] | None:
    """Return name, sha256 and danger of the weights that a test refused to load; nothing where it was not that."""
    try:
        text = job.outputs.retrieved.base.repository.get_object_content(FILENAME_RESULTS, "r")
    except (exceptions.NotExistentAttributeError, FileNotFoundError):
        return None
    refused: dict[str, str] | None = json.loads(text).get("refused_checkpoint")
    return refused
