"""Crystals with partly occupied sites in a command: read as they are, ordered, and one ``ion.ensemble`` for each."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aiida import orm
from aiida.plugins import WorkflowFactory

from aiida_ion.aiida_private.builders import builder_inputs, set_inputs
from aiida_ion.analysis.disorder.members_needed import members_needed
from aiida_ion.analysis.disorder.settings import OrderingSettings
from aiida_ion.calculations.disorder.order import planned
from aiida_ion.calculations.disorder.stand_in import ordering_settings, stand_in
from aiida_ion.campaigns.orderings import node_of, read_file
from aiida_ion.campaigns.overrides import collect_overrides
from aiida_ion.campaigns.plan import EnsemblePlan, Plan, thermostat_remark
from aiida_ion.campaigns.request import RunRequest
from aiida_ion.engines.engine import Engine
from aiida_ion.engines.fits import diffusion_code, fit_options
from aiida_ion.engines.jobs import engine_choices, job_options
from aiida_ion.messages import one_line
from aiida_ion.places.demand import cores_per_job


def is_disordered(node: orm.StructureData) -> bool:
    """Return whether sites of a crystal are partly occupied or shared by elements."""
    return bool(node.is_alloy or node.has_vacancies)


def disordered_node(name: str, insist: bool) -> orm.StructureData:
    """Return the crystal of a CIF with partly occupied sites as a new node.

    :param insist: accept a file that contradicts itself.
    :raises ValueError: for another format, or with the reason in a sentence.
    """
    path = Path(name)
    return node_of(read_file(path, insist), path)


def check_orderings(request: RunRequest, nodes: Sequence[orm.StructureData]) -> None:
    """Refuse options for disordered crystals where there is none.

    :raises ValueError: naming the option.
    """
    given = [name for name in ("orderings", "ordering_settings") if getattr(request, name) is not None]
    if given and not any(is_disordered(node) for node in nodes):
        raise ValueError(
            f"--{given[0].replace('_', '-')} is for crystals with partly occupied sites, and there is none"
        )


def ensemble_builder(structure: orm.StructureData, engine: Engine, request: RunRequest) -> tuple[Any, EnsemblePlan]:
    """Return the builder of ``ion.ensemble`` for a crystal, and how it is ordered.

    :raises ValueError: for a crystal that cannot be ordered, or a setting that cannot be used.
    """
    options = job_options(engine.jobs, request.jobs)
    is_local = engine.code.computer.label == "localhost"
    share = max(1, (os.cpu_count() or 1) // cores_per_job(options)) if is_local else None
    overrides = collect_overrides(request, share)
    settings = chosen_settings(structure, request, overrides)
    ordering = planned(structure, settings.to_dict())
    fits = diffusion_code(request.fit_code, engine.code.computer)
    chain: Any = WorkflowFactory("ion.ensemble")
    builder = chain.get_builder_from_protocol(
        structure,
        engine=engine.entry_point,
        protocol=request.protocol,
        overrides=overrides,
        diffusion_code=fits,
        ordering=settings.to_dict(),
        ordering_options=fit_options(fits),
        # Here the runs of one cell keep all cores busy.
        parameters={"max_concurrent": 1 if is_local else settings.n_orderings},
        options=options,
        **engine.md.with_run_options(engine_choices(engine), request.engine),
    )
    builder.conductivity.fresh = request.fresh
    if options_of_fits := fit_options(fits):
        builder.conductivity.diffusion.metadata.options = options_of_fits
    return builder, EnsemblePlan(ordering, settings.n_orderings, _member(builder, structure, settings))


def chosen_settings(structure: orm.StructureData, request: RunRequest, overrides: Any) -> OrderingSettings:
    """Return the settings of the ordering of a crystal: one cell where mobile ions alone are disordered.

    :raises ValueError: for a crystal that cannot be ordered, or a setting that cannot be used.
    """
    given = dict(request.ordering_settings or {})
    if request.min_width_A is not None:
        given.setdefault("min_width_A", request.min_width_A)
    if request.orderings is not None:
        given["n_orderings"] = request.orderings
    settings = OrderingSettings.from_dict(ordering_settings(structure, given, overrides))
    if "n_orderings" in given:
        return settings
    needed = members_needed(planned(structure, settings.to_dict()), settings.n_orderings)
    return OrderingSettings.from_dict(settings.to_dict() | {"n_orderings": needed})


def _member(builder: Any, structure: orm.StructureData, settings: OrderingSettings) -> Any:
    """Return the builder of the conductivity of an ordered cell, before these are drawn."""
    chain: Any = WorkflowFactory("ion.conductivity")
    member = chain.get_builder()
    set_inputs(member, builder_inputs(builder)["conductivity"])
    member.structure = stand_in(structure, settings.to_dict())
    return member


def ensemble_plan(name: str, structure: orm.StructureData, engine: Engine, request: RunRequest) -> Plan:
    """Return the plan of a disordered crystal: its ordered cells, the same for each engine, and their conductivities.

    :raises ValueError: for a crystal that cannot be ordered.
    """
    title = f"{name} / {engine.name}"
    try:
        builder, ensemble = ensemble_builder(structure, engine, request)
        level = engine.md.level_of_theory(builder.conductivity.md.engine)
        remarks = [
            *engine.md.remarks(ensemble.member.structure, builder.conductivity.md.engine),
            *thermostat_remark(ensemble.member, request),
        ]
    except ValueError as error:
        raise ValueError(f"{title}: {one_line(error)}") from error
    builder.metadata.label = f"{ensemble.formula} {level}"
    return Plan(title, engine, builder, level, remarks, ensemble)
