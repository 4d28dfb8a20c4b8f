"""Cells with defects: what was asked for as settings, plans in words, and what is submitted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiida_ion.analysis.defects.plan import DefectPlan, inequivalent_sites
from aiida_ion.analysis.defects.settings import DOPANT, FRENKEL, INTERSTITIAL, SCHOTTKY, VACANCY, DefectSettings
from aiida_ion.engines.requests import JobRequest

if TYPE_CHECKING:
    from aiida import orm


@dataclass(frozen=True)
class DefectRequest:
    """Kinds of defect, each made at every concentration.

    :param vacancies: elements of the ions that are missing, without compensation.
    :param interstitials: elements of the ions that are added, without compensation.
    :param frenkel: elements of Frenkel pairs.
    :param schottky: neutral formulas of what Schottky defects lack.
    :param dopants: ``host:dopant``, such as ``Ti:Al``.
    :param concentrations: carriers for each site of the mobile ion.
    :param settings: others, of :class:`~aiida_ion.analysis.defects.settings.DefectSettings`.
    """

    vacancies: Sequence[str] = ()
    interstitials: Sequence[str] = ()
    frenkel: Sequence[str] = ()
    schottky: Sequence[str] = ()
    dopants: Sequence[str] = ()
    concentrations: Sequence[float] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)


def settings_of(request: DefectRequest, mobile_species: str) -> list[DefectSettings]:
    """Return the settings of each kind at each concentration.

    :param mobile_species: of dopants and Schottky defects, which do not name it.
    :raises ValueError: without any kind of defect, or for settings that are refused.
    """
    kinds: list[dict[str, Any]] = [
        {"defect": kind, "mobile_species": element}
        for kind, elements in (
            (VACANCY, request.vacancies),
            (INTERSTITIAL, request.interstitials),
            (FRENKEL, request.frenkel),
        )
        for element in elements
    ]
    kinds += [{"defect": SCHOTTKY, "removed": text, "mobile_species": mobile_species} for text in request.schottky]
    for text in request.dopants:
        host, colon, dopant = (part.strip() for part in text.partition(":"))
        if not (host and colon and dopant):
            raise ValueError(f"dopant {text!r} is not of the form Ti:Al, the element that is replaced and the dopant")
        kinds.append({"defect": DOPANT, "host": host, "dopant": dopant, "mobile_species": mobile_species})
    if not kinds:
        raise ValueError("no kind of defect: give a vacancy, interstitial, dopant, Frenkel pair or Schottky defect")
    concentrations = request.concentrations or (DefectSettings().concentration,)
    return [
        DefectSettings.from_dict({**request.settings, **kind, "concentration": concentration})
        for kind in kinds
        for concentration in concentrations
    ]


def default_mobile_species(node: orm.StructureData, request: DefectRequest) -> str:
    """Return the mobile ion of kinds that do not name it: that of the others, else the usual one of the crystal.

    :raises ValueError: for a crystal without an ion that is usually mobile.
    """
    from aiida_ion.calculations.sample import describe_sample

    named = [*request.vacancies, *request.interstitials, *request.frenkel]
    return named[0] if named else str(describe_sample(node, None).mobile_species)


def plan_lines(plan: DefectPlan) -> list[str]:
    """Return a plan in words, a line each."""
    settings, mobile = plan.settings, plan.settings.mobile_species
    sites = ", ".join(f"{label} ({number} in the primitive cell)" for label, number in inequivalent_sites(plan).items())
    lines = [
        f"{title(settings)}: {plan.n_units * plan.unit.n_carriers} carriers on {plan.n_sites} sites of {mobile} are a "
        f"concentration of {plan.concentration:.4g} ({100 * plan.deviation:+.1f} %)",
        f"  cell: {plan.n_atoms} atoms, {plan.n_cells} primitive cells, {plan.supercell.width_A:.1f} angstrom wide",
        f"  compensation: {plan.unit.compensation}",
        f"  inequivalent sites of {mobile}: {sites}",
    ]
    return lines + [f"  {remark}" for remark in plan.remarks]


def title(settings: DefectSettings) -> str:
    """Return a kind of defect and its stated concentration in words."""
    what = {
        DOPANT: f"{settings.dopant} on {settings.host}",
        SCHOTTKY: f"Schottky defect of {settings.removed}",
        FRENKEL: f"Frenkel pair of {settings.mobile_species}",
    }.get(settings.defect, f"{settings.defect} of {settings.mobile_species}")
    return f"{what}, {settings.concentration:g} for each {settings.mobile_species}"


def defect_inputs(settings: DefectSettings, fit_code: str | None) -> dict[str, Any]:
    """Return code, parameters and options of ``ion.make_defects``.

    :param fit_code: label of the Python that makes the cells; the usual one by default.
    :raises ValueError: where there is none.
    """
    from aiida import orm

    from aiida_ion.engines.fits import diffusion_code, fit_options

    code = diffusion_code(fit_code)
    inputs: dict[str, Any] = {"code": code, "parameters": orm.Dict(settings.to_dict())}
    options = fit_options(code)
    return inputs | ({"options": options} if options else {})


def making_builder(node: orm.StructureData, settings: DefectSettings, fit_code: str | None) -> Any:
    """Return a checked builder of ``ion.make_defects``.

    :raises ValueError: for what cannot be submitted.
    """
    from aiida_ion.calculations.defects.make import MakeDefectsCalculation

    inputs = defect_inputs(settings, fit_code)
    chosen = {"metadata": {"options": inputs.pop("options")}} if "options" in inputs else {}
    builder: Any = MakeDefectsCalculation.get_builder()
    return _checked(builder, {**inputs, **chosen, "structure": node, "clean_workdir": True}, node, settings)


def energies_builder(
    node: orm.StructureData,
    settings: DefectSettings,
    engine_name: str,
    relaxation: Mapping[str, Any],
    fit_code: str | None,
    request: JobRequest,
) -> Any:
    """Return a checked builder of ``ion.defects``: cells made, then relaxed by an engine's potential.

    :param relaxation: of :class:`~aiida_ion.settings.ordering.RelaxOrderingsSettings`.
    :param request: of the job that relaxes.
    :raises ValueError: for what cannot be submitted.
    """
    from aiida import orm

    from aiida_ion.campaigns.orderings import relaxation_inputs
    from aiida_ion.engines.engine import load_engine
    from aiida_ion.settings.ordering import RelaxOrderingsSettings
    from aiida_ion.workchains.defects.workchain import DefectsWorkChain

    relax = RelaxOrderingsSettings.from_dict({"mobile_species": settings.mobile_species} | dict(relaxation))
    shared, options = relaxation_inputs(engine_name, request)
    inputs = {
        "structure": node,
        "defects": defect_inputs(settings, fit_code),
        "relaxation": {**shared, "parameters": orm.Dict(relax.to_dict()), "options": options},
        "level_of_theory": load_engine(engine_name).md.level_of_theory(shared),
    }
    return _checked(DefectsWorkChain.get_builder(), inputs, node, settings)


def _checked(builder: Any, inputs: Mapping[str, Any], node: orm.StructureData, settings: DefectSettings) -> Any:
    from aiida_ion.aiida_private.builders import set_inputs, validate_builder
    from aiida_ion.messages import one_line

    set_inputs(builder, dict(inputs))
    builder.metadata.label = f"{node.label or node.get_formula('count')}: {title(settings)}"[:250]
    problem = validate_builder(builder)
    if problem is not None:
        raise ValueError(one_line(problem))
    return builder
