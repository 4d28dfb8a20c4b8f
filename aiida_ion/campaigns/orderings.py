"""Disordered crystals for ``ion.order_structure``: a CIF or a node, and the plan in words."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiida_ion.analysis.disorder.crystal import DisorderedCrystal, disordered_crystal
from aiida_ion.analysis.disorder.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiida import orm

    from aiida_ion.analysis.disorder.settings import OrderingSettings
    from aiida_ion.crystal_files.disordered import DisorderedFile
    from aiida_ion.engines.requests import JobRequest

#: Largest file that is read, bytes.
MAX_CIF_BYTES = 20_000_000


def read_file(path: Path, insist: bool = False) -> DisorderedFile:
    """Return what a CIF holds.

    :param insist: accept a file that contradicts itself.
    :raises ValueError: for another format, or with the reason in a sentence.
    """
    from aiida_ion.crystal_files.disordered import read_disordered_cif

    if path.suffix.lower() != ".cif":
        raise ValueError(f"{path.name}: occupancies of sites are read from CIF files (.cif); give one, or a node")
    if not path.is_file():
        raise ValueError(f"{path.name}: no such file")
    if path.stat().st_size > MAX_CIF_BYTES:
        raise ValueError(f"{path.name}: larger than {MAX_CIF_BYTES:,} bytes")
    file = read_disordered_cif(path.read_text(encoding="utf-8", errors="replace"), path.name)
    if file.reading.caveats and not insist:
        raise ValueError(f"{path.name}: {'; '.join(file.reading.caveats)}")
    return file


def crystal_of_file(file: DisorderedFile) -> DisorderedCrystal:
    """Return the crystal of a file, its orbits named as its sites are."""
    return disordered_crystal(file.structure)


def node_of(file: DisorderedFile, path: Path) -> orm.StructureData:
    """Return the crystal of a file as a new node, occupancies as weights of its kinds."""
    import hashlib

    from aiida import orm

    from aiida_ion.campaigns.structures import READ_FROM
    from aiida_ion.crystal_files.report import report_of

    node = orm.StructureData(pymatgen=file.structure)
    node.label = path.stem
    node.description = f"read from {path.name}"
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    report = report_of(file.structure, file.reading, path.name, digest).attributes()
    # Its sites are not atoms.
    report["n_atoms"] = None
    node.base.extras.set(READ_FROM, report)
    return node


def plan_lines(plan: Plan) -> list[str]:
    """Return a plan in words, a line each."""
    counts = plan.counts
    charges = ", ".join(f"{element} {state:+g}" for element, state in sorted(counts.states.items()))
    lines = [
        f"disorder: {plan.roles.kind}",
        f"cell: {counts.n_atoms} atoms on {sum(plan.counts_of_places())} sites, {plan.n_cells} primitive cells, "
        f"{plan.supercell.width_A:.1f} angstrom wide",
        f"charges: {charges}",
        f"{plan.mobile_species}: {counts.n_mobile} in the cell, {100 * counts.mobile_deviation:+.2f} % from the stated "
        f"composition, which differs by {100 * counts.composition_deviation:.2f} % of the atoms; the occupancy of a "
        f"framework site by {100 * counts.orbit_deviation:.1f} % of its places",
    ]
    return lines + list(plan.remarks)


def order_inputs(settings: OrderingSettings, fit_code: str | None) -> dict[str, Any]:
    """Return code, parameters and options of ``ion.order_structure``.

    :param fit_code: label of the Python that draws the cells; the usual one by default.
    :raises ValueError: where there is none.
    """
    from aiida import orm

    from aiida_ion.engines.fits import diffusion_code, fit_options

    code = diffusion_code(fit_code)
    inputs: dict[str, Any] = {"code": code, "parameters": orm.Dict(settings.to_dict())}
    options = fit_options(code)
    return inputs | ({"options": options} if options else {})


def ordering_builder(
    node: orm.StructureData,
    settings: OrderingSettings,
    engine_name: str,
    relaxation: Mapping[str, Any],
    ranking: Mapping[str, Any],
    fit_code: str | None,
    request: JobRequest,
) -> Any:
    """Return a checked builder of ``ion.ordering``: cells drawn, then relaxed and ranked by an engine's potential.

    :param relaxation: of :class:`~aiida_ion.settings.ordering.RelaxOrderingsSettings`.
    :param ranking: of :class:`~aiida_ion.analysis.disorder.ranking.RankingSettings`.
    :param request: of the job that relaxes.
    :raises ValueError: for what cannot be submitted.
    """
    from aiida import orm

    from aiida_ion.aiida_private.builders import set_inputs, validate_builder
    from aiida_ion.analysis.disorder.ranking import RankingSettings
    from aiida_ion.messages import one_line
    from aiida_ion.settings.ordering import RelaxOrderingsSettings
    from aiida_ion.workchains.ordering.workchain import OrderingWorkChain

    relax = RelaxOrderingsSettings.from_dict({"mobile_species": settings.mobile_species} | dict(relaxation))
    shared, options = relaxation_inputs(engine_name, request)
    builder: Any = OrderingWorkChain.get_builder()
    inputs = {
        "structure": node,
        "ordering": order_inputs(settings, fit_code),
        "relaxation": {**shared, "parameters": orm.Dict(relax.to_dict()), "options": options},
        "ranking": orm.Dict(RankingSettings.from_dict(ranking).to_dict()),
    }
    set_inputs(builder, inputs)
    builder.metadata.label = f"ordered cells of {node.label or node.get_formula('count')} by {engine_name}"
    problem = validate_builder(builder)
    if problem is not None:
        raise ValueError(one_line(problem))
    return builder


def relaxation_inputs(engine_name: str, request: JobRequest) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return code and potential of an engine for ``ion.relax_orderings``, and the options of the job.

    :raises ValueError: for an engine whose potential is not loaded by a Python of its own.
    """
    from aiida_ion.campaigns.screening.pes import EVALUATOR
    from aiida_ion.engines.engine import load_engine
    from aiida_ion.engines.jobs import check_jobs, engine_choices, job_options

    engine = load_engine(engine_name)
    if engine.md.forces_job() != EVALUATOR:
        raise ValueError(
            f"{engine.name} relaxes one cell in each job, and cells are ranked in one: give an engine with a Python of "
            f"its own, such as sevenn; 'aiida-ion run' relaxes each cell with {engine.name} before molecular dynamics"
        )
    check_jobs("ion.relax_orderings", engine.code.computer, engine.jobs, request)
    shared = engine.md.shared_inputs(engine.md.engine_inputs(None, None, **engine_choices(engine)))
    return dict(shared), job_options(engine.jobs, request)
