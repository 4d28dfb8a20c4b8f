"""From a request to checked builders, and from those to submitted work chains."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import Any

import numpy as np
from aiida import orm
from aiida.engine import submit
from aiida.plugins import WorkflowFactory

from aiida_ion.aiida_private.builders import builder_inputs, validate_builder
from aiida_ion.analysis.crystals.cell import perpendicular_widths
from aiida_ion.analysis.crystals.structure import DisorderedError
from aiida_ion.calculations.dft.kpoints import is_gamma
from aiida_ion.calculations.functions import multiples_of
from aiida_ion.campaigns.ensembles import check_orderings, disordered_node, ensemble_plan, is_disordered
from aiida_ion.campaigns.overrides import collect_overrides
from aiida_ion.campaigns.plan import Plan, thermostat_remark
from aiida_ion.campaigns.queueing import crystals_at_once, submit_queue
from aiida_ion.campaigns.request import RunRequest
from aiida_ion.campaigns.structures import structure_node
from aiida_ion.crystal_files.read import DoubtfulCrystalError
from aiida_ion.engine_kinds import installed_engines, kind_of
from aiida_ion.engines.engine import Engine, load_engine
from aiida_ion.engines.fits import diffusion_code, fit_options
from aiida_ion.engines.jobs import check_jobs, engine_choices, job_options
from aiida_ion.engines.options import check_device
from aiida_ion.messages import one_line
from aiida_ion.places.demand import cores_per_job
from aiida_ion.workchains.comparison.builder import comparison_builder
from aiida_ion.workchains.conductivity.plausibility import unusual_settings
from aiida_ion.workchains.md.requests import changed_fields
from aiida_ion.workchains.queue.plans import QueuedProcess, distinct

#: Reference frames on which each potential is evaluated by default.
MAX_FORCE_FRAMES = 100
#: So many crystals are submitted one by one, however few run in parallel: their jobs wait for places.
FEW = 8
#: Narrower cells are not well described by the Gamma point alone, angstrom.
GAMMA_WIDTH_A = 7.0


def make_plans(
    structures: Sequence[str],
    engines: Sequence[str],
    request: RunRequest,
    refused: dict[str, str] | None = None,
    with_ensembles: bool = False,
) -> list[Plan]:
    """Return a plan for each crystal with each engine.

    :param structures: files, pks or uuids.
    :param engines: names of engines.
    :param request: what is asked of them.
    :param refused: filled with each crystal that cannot be run, and why; without it the first such crystal raises.
    :param with_ensembles: whether crystals with partly occupied sites are ordered; else they are refused.
    :raises ValueError: naming the crystal and engine that cannot be run, and why.
    """
    crystals = []
    for name in dict.fromkeys(structures):
        try:
            crystals.append((name, _structure(name, request.force_structure, with_ensembles)))
        except (ValueError, OSError) as error:
            _refuse(name, error, refused)
    if with_ensembles and crystals:
        check_orderings(request, [node for _, node in crystals])
    return plans_of(crystals, engines, request, refused, with_ensembles)


def _structure(name: str, insist: bool, with_ensembles: bool) -> orm.StructureData:
    try:
        return structure_node(name, insist)
    except DisorderedError:
        if not with_ensembles:
            raise
        return disordered_node(name, insist)
    except DoubtfulCrystalError as error:
        raise ValueError(f"{error} (--force-structure accepts the file as it is)") from error


def _refuse(name: str, error: Exception, refused: dict[str, str] | None) -> None:
    if refused is None:
        raise error
    refused[name] = one_line(error)


def plans_of(
    crystals: Sequence[tuple[str, orm.StructureData]],
    engines: Sequence[str],
    request: RunRequest,
    refused: dict[str, str] | None = None,
    with_ensembles: bool = False,
) -> list[Plan]:
    """Return a plan for each crystal with each engine.

    :param crystals: names and nodes, stored or not.
    :param engines: names of engines.
    :param request: what is asked of them.
    :param refused: filled with each crystal that cannot be run, and why; without it the first such crystal raises.
    :raises ValueError: naming the crystal and engine that cannot be run, and why.
    """
    loaded = [load_engine(name) for name in dict.fromkeys(engines)]
    _check_request(request, loaded)
    if len(loaded) > 1 and request.keep is None:
        request = replace(request, keep=["velocities"])  # the vibrations of two levels can be compared
    n_parallel = parallel_chains(loaded, len(crystals) * len(loaded), request)
    plans = []
    for name, node in crystals:
        try:
            if with_ensembles and is_disordered(node):
                plans += [ensemble_plan(name, node, engine, request) for engine in loaded]
            else:
                plans += [_plan(name, node, engine, request, n_parallel) for engine in loaded]
        except ValueError as error:
            _refuse(name, error, refused)
    return plans


def parallel_chains(engines: Sequence[Engine], n_plans: int, request: RunRequest) -> int:
    """Return how many work chains may run in parallel: of a comparison on this machine as many as its cores allow."""
    each_by_itself = len(engines) == 1 and not request.as_comparison
    if each_by_itself or any(engine.code.computer.label != "localhost" for engine in engines):
        return n_plans
    cores = max(cores_per_job(job_options(engine.jobs, request.jobs)) for engine in engines)
    return min(n_plans, max(1, (os.cpu_count() or 1) // cores))


def _check_request(request: RunRequest, engines: Sequence[Engine]) -> None:
    """Refuse engine options that none of the engines reads, and job options that one of them does not accept."""
    for name in changed_fields(request.engine):
        if not any(name in engine.md.run_options for engine in engines):
            kinds = [kind for kind, md in installed_engines().items() if name in md.run_options]
            own = ", ".join(f"{engine.name} ({kind_of(engine.entry_point)})" for engine in engines)
            raise ValueError(f"--{name} is for engines of the kind {' or '.join(kinds)}, and this is {own}")
    for engine in engines:
        check_jobs(engine.job, engine.code.computer, engine.jobs, request.jobs)
        if "device" in engine.md.run_options:
            check_device(request.engine.device or engine.potential.get("device"), engine.code.computer)


def check(plans: Sequence[Plan]) -> None:
    """Check every builder as its submission would.

    :raises ValueError: naming the first that cannot be submitted, and why.
    """
    for plan in plans:
        problem = validate_builder(plan.builder)
        if problem is not None:
            raise ValueError(f"{plan.title}: {one_line(problem)}")


def submit_plans(plans: Sequence[Plan], request: RunRequest) -> list[tuple[str, int]]:
    """Submit the plans: one comparison of several engines, and where the request asks for one; else each by itself.

    More crystals than may run in parallel become one queue.

    :param request: the one that the plans were made with.
    :returns: title and pk of each work chain.
    """
    if request.as_comparison or len({plan.engine.code.uuid for plan in plans}) > 1:
        builders = [(f"comparison of {len(plans)} conductivities", comparison(plans, request))]
    elif len(plans) > (most := request.max_crystals or max(FEW, parallel_crystals(plans))):
        n_parallel = request.max_crystals or min(most, parallel_crystals(plans))
        titles = distinct([plan.title for plan in plans])
        processes = [
            QueuedProcess(title, plan.entry_point, builder_inputs(plan.builder))
            for title, plan in zip(titles, plans, strict=True)
        ]
        title = f"queue of {len(plans)} conductivities, {n_parallel} at a time"
        return [(title, int(submit_queue(processes, n_parallel, request.group, title).pk))]
    else:
        builders = [(plan.title, plan.builder) for plan in plans]
    group = orm.Group.collection.get_or_create(request.group)[0] if request.group else None
    submitted = []
    for title, builder in builders:
        node = submit(builder)
        submitted.append((title, int(node.pk or 0)))
        if group is not None:
            group.add_nodes([node])
    return submitted


def parallel_crystals(plans: Sequence[Plan]) -> int:
    """Return how many crystals in parallel keep the computer of their engine busy."""
    engine, builder = plans[0].engine, plans[0].conductivity
    parameters = builder.parameters.get_dict()
    runs = min(parameters["max_concurrent"], len(parameters["temperatures_K"]) * len(parameters["seeds"]))
    cores = cores_per_job(dict(builder.md.options or {}))
    return crystals_at_once(engine.code.computer, cores, runs, engine.max_jobs)


def comparison(plans: Sequence[Plan], request: RunRequest) -> Any:
    """Return the builder of one comparison that holds all plans.

    :raises ValueError: if the reference is not one of the engines, or two engines would run different simulations.
    """
    runs: dict[str, dict[str, Any]] = {}
    for plan in plans:
        material, engine = label_of(plan.crystal), label_of(plan.engine.name)
        if engine in runs.get(material, {}):
            raise ValueError(f"two crystals are called {material} in one comparison: rename one of the files")
        runs.setdefault(material, {})[engine] = builder_inputs(plan.builder)
    engines = list(dict.fromkeys(plan.engine.code.uuid for plan in plans))
    of_engine = {plan.engine.code.uuid: plan.engine for plan in plans}
    entry_points = {label_of(of_engine[uuid].name): of_engine[uuid].entry_point for uuid in engines}
    reference = label_of(request.reference) if request.reference else None
    if reference is not None and reference not in entry_points:
        raise ValueError(f"--reference must be one of the engines, {', '.join(entry_points)}")
    parameters = {
        "reference": reference,
        "max_concurrent": parallel_chains([of_engine[uuid] for uuid in engines], len(plans), request),
        "max_force_frames": request.max_force_frames or MAX_FORCE_FRAMES,
    }
    builder = comparison_builder(WorkflowFactory("ion.comparison"), runs, entry_points, parameters)
    builder.metadata.label = f"{', '.join(runs)}: {', '.join(entry_points)}"
    builder.fresh = request.fresh
    builder.clean_workdir = all(plan.conductivity.clean_workdir for plan in plans)
    problem = validate_builder(builder)
    if problem is not None:
        raise ValueError(one_line(problem))
    return builder


def label_of(name: str) -> str:
    """Return a name as a link label of AiiDA: letters, digits, single underscores."""
    stem = PurePath(name).stem if PurePath(name).suffix else name
    return re.sub(r"_+", "_", re.sub(r"[^A-Za-z0-9]", "_", stem)).strip("_")


def _plan(name: str, structure: orm.StructureData, engine: Engine, request: RunRequest, n_parallel: int) -> Plan:
    title = f"{name} / {engine.name}"
    options = job_options(engine.jobs, request.jobs)
    local = engine.code.computer.label == "localhost"
    share = max(1, (os.cpu_count() or 1) // (cores_per_job(options) * n_parallel)) if local else None
    chain: Any = WorkflowFactory("ion.conductivity")
    fits = diffusion_code(request.fit_code, engine.code.computer)
    try:
        builder = chain.get_builder_from_protocol(
            structure,
            engine=engine.entry_point,
            protocol=request.protocol,
            overrides=collect_overrides(request, share),
            diffusion_code=fits,
            options=options,
            **engine.md.with_run_options(engine_choices(engine), request.engine),
        )
        level = engine.md.level_of_theory(builder.md.engine)
        remarks = [
            *engine.md.remarks(structure, builder.md.engine),
            *thermostat_remark(builder, request),
            *_kpoint_remark(builder),
            *unusual_settings(structure, builder.parameters.get_dict(), builder.md.parameters.get_dict()),
        ]
    except ValueError as error:
        raise ValueError(f"{title}: {one_line(error)}") from error
    builder.metadata.label = f"{builder.parameters.get_dict()['formula']} {level}"
    builder.fresh = request.fresh
    if options_of_fits := fit_options(fits):
        builder.diffusion.metadata.options = options_of_fits
    return Plan(title, engine, builder, level, remarks)


def _kpoint_remark(builder: Any) -> list[str]:
    """Return a remark on a cell that is too small for the Gamma point alone."""
    kpoints = builder.md.engine.get("kpoints")
    cell = builder.structure.get_ase().cell.array * np.array(multiples(builder))[:, None]
    width = float(perpendicular_widths(cell).min())
    if kpoints is None or not is_gamma(kpoints) or width >= GAMMA_WIDTH_A:
        return []
    return [f"the cell is {width:.1f} angstrom wide, little for the Gamma point alone: a larger one, or --kpoints"]


def multiples(builder: Any) -> list[int]:
    """Return how often the cell is repeated along each vector."""
    parameters = builder.parameters.get_dict()
    return multiples_of(builder.structure, {"multiples": parameters.get("supercell")} | parameters)
