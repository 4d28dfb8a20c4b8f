"""From a crystal, engines and settings to the checked builder of ``ion.barrier``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from aiida import orm
from aiida.common import exceptions
from aiida.plugins import WorkflowFactory

from aiida_ion.aiida_private.builders import validate_builder
from aiida_ion.analysis.energy_maps.empty_sites import find_empty_sites
from aiida_ion.analysis.migration.hops import SAME_SITE_A
from aiida_ion.analysis.migration.symmetry import on_special_places, operations_of
from aiida_ion.engines.engine import Engine, load_engine
from aiida_ion.engines.jobs import check_jobs, engine_choices, job_options
from aiida_ion.engines.requests import JobRequest
from aiida_ion.messages import one_line
from aiida_ion.queries.screening.maps import read_map
from aiida_ion.settings.migration import HopSearchSettings
from aiida_ion.workchains.md.requests import EngineRequest


@dataclass(frozen=True)
class BarrierRequest:
    """What is asked for.

    :param engine: name of the engine of the potential.
    :param dft: name of an engine for single points at ends and saddles.
    :param band_code: label of the code of DFT bands.
    :param protocol: ``fast``, ``balanced`` or ``stringent``.
    :param overrides: changes to it.
    :param dft_changes: what this run changes about the DFT engine.
    :param jobs: cores, wall time and scheduler of each job of the potential.
    :param dft_jobs: the same of DFT.
    """

    engine: str
    dft: str | None = None
    band_code: str | None = None
    protocol: str | None = None
    overrides: Mapping[str, Any] = field(default_factory=dict)
    dft_changes: EngineRequest = field(default_factory=EngineRequest)
    jobs: JobRequest = field(default_factory=JobRequest)
    dft_jobs: JobRequest = field(default_factory=JobRequest)


def with_sites_of(request: BarrierRequest, structure: orm.StructureData, name: str) -> BarrierRequest:
    """Return a request in which an extra ion hops among the empty minima of a kept map.

    Minima count up to the energy at which pathways of the map first reach through the crystal: those that it can use.

    :param name: PK or UUID of the map.
    :raises ValueError: for a node that is not a map, a map of another crystal or ion, one without such minima, or where
        sites or another ion are given, too.
    """
    try:
        node = orm.load_node(name)
        kept = read_map(node.uuid)
    except (exceptions.NotExistent, exceptions.MultipleObjectsError, ValueError) as error:
        raise ValueError(f"--sites-from {name}: {one_line(error)}") from error
    search = dict(request.overrides.get("search") or {})
    if search.get("empty_sites"):
        raise ValueError("give --sites-from or the setting empty_sites, not both")
    ion = str(node.base.attributes.get("mobile_species", ""))
    if search.setdefault("mobile_species", ion) != ion:
        raise ValueError(f"--sites-from {name}: the map is of {ion}, not of {search['mobile_species']}")
    barriers = [barrier for barrier in node.base.attributes.get("barriers_eV", None) or [] if barrier is not None]
    if not barriers:
        raise ValueError(f"--sites-from {name}: no pathway of the map reaches through the crystal")
    symbols = np.array([structure.get_kind(site.kind_name).symbol for site in structure.sites])
    fractions = np.array([site.position for site in structure.sites]) @ np.linalg.inv(structure.cell)
    is_ion = symbols == ion
    try:
        sites = find_empty_sites(kept, structure.cell, fractions[is_ion], fractions[~is_ion], min(barriers))
    except ValueError as error:
        raise ValueError(f"--sites-from {name}: {error}") from error
    cell = np.asarray(structure.cell, dtype=float)
    symprec_A = HopSearchSettings.from_dict(search).symprec_A
    operations = operations_of(structure.get_pymatgen_structure(), symprec_A)
    sites = on_special_places(operations, sites, cell, SAME_SITE_A)
    search["empty_sites"] = [[round(float(part), 6) for part in site] for site in sites]
    return replace(request, overrides={**request.overrides, "search": search})


def barrier_builder(structure: orm.StructureData, request: BarrierRequest) -> Any:
    """Return a checked builder.

    :raises ValueError: if the crystal, an engine or a setting cannot be used; the message says why.
    """
    engine = load_engine(request.engine)
    if engine.md.hops_class is None:
        raise ValueError(f"{request.engine} computes no hops: name an engine of a potential, such as sevenn")
    check_jobs(engine.job, engine.code.computer, engine.jobs, request.jobs)
    chain: Any = WorkflowFactory("ion.barrier")
    inputs = engine.md.with_run_options(engine_choices(engine), EngineRequest())
    builder = chain.get_builder_from_protocol(
        structure,
        engine.entry_point,
        request.protocol,
        dict(request.overrides),
        dft=_dft(request),
        options=job_options(engine.jobs, request.jobs),
        **{name: value for name, value in inputs.items() if name != "files"},
    )
    problem = validate_builder(builder)
    if problem is not None:
        raise ValueError(one_line(problem))
    dft = "" if request.dft is None else f" and {request.dft}"
    builder.metadata.label = f"{structure.get_formula('hill_compact')}: barriers by {request.engine}{dft}"
    return builder


def _dft(request: BarrierRequest) -> dict[str, Any] | None:
    if request.dft is None:
        if request.band_code is not None:
            raise ValueError("--dft-band-code is the program of DFT bands: name the engine with --dft, too")
        return None
    engine: Engine = load_engine(request.dft)
    if engine.md.single_points is None:
        raise ValueError(f"{request.dft} is not a DFT engine: it has no single points")
    check_jobs(engine.job, engine.code.computer, engine.jobs, request.dft_jobs)
    dft: dict[str, Any] = engine.md.with_run_options(engine_choices(engine), request.dft_changes)
    dft |= {"entry_point": engine.entry_point, "options": job_options(engine.jobs, request.dft_jobs)}
    if request.band_code is not None:
        try:
            dft["band_code"] = orm.load_code(request.band_code)
        except (exceptions.NotExistent, exceptions.MultipleObjectsError) as error:
            raise ValueError(f"there is no code {request.band_code}, or more than one: {one_line(error)}") from error
    return dft
