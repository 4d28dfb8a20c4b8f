"""``compare_levels``: what two levels of theory found for one material -> one node that says how far they are apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida import orm
from aiida.engine import calcfunction

from aiida_ion.analysis.comparison.cost_ratio import cost_per_step, speed_ratios
from aiida_ion.analysis.comparison.findings import Findings
from aiida_ion.calculations.comparison.transport import compare_transport


@calcfunction
def compare_levels(parameters: orm.Dict, **nodes: orm.Data) -> orm.ArrayData:
    """Compare one level of theory with a reference, as far as the nodes of both go.

    Ratios are level over reference, differences level less reference; intervals are 95 %. What cannot be compared is
    no attribute, and `missing` says why.

    :param parameters: `formula`, `level_of_theory`, `reference_level_of_theory`; optionally `target_temperature_K`,
        `trajectories_missing`, a sentence that says why there is no `trajectories`, and `trajectories_of_member`, the
        ordered cell of two ensembles that they are of.
    :param nodes: any of `conductivity`, `diffusion_<T>`, `cost`, each also with `reference_` in front;
        `trajectories`, the output of `ion.trajectory_comparison`.
    :raises ValueError: for a node of another name, or `trajectories` of other levels of theory.
    """
    settings = parameters.get_dict()
    check_names(nodes)
    findings = Findings({name: settings[name] for name in ("formula", "level_of_theory", "reference_level_of_theory")})
    findings.add(compare_transport(nodes, settings))
    findings.add(compared_trajectories(nodes.get("trajectories"), settings))
    if "trajectories" in nodes:
        findings.say({"trajectories_of_member": settings.get("trajectories_of_member")})
    findings.add(compare_cost(nodes, settings))
    node = orm.ArrayData()
    for name, array in findings.arrays.items():
        node.set_array(name, array)
    words = {"missing": findings.missing, "summary": summary(findings.attributes)}
    node.base.attributes.set_many(findings.attributes | words)
    node.label = f"{settings['formula']} {settings['level_of_theory']} / {settings['reference_level_of_theory']}"
    return node


def check_names(nodes: Mapping[str, Any]) -> None:
    """Refuse inputs that would be left out without a word.

    :raises ValueError: if there is one.
    """
    for name in nodes:
        of_level = name.removeprefix("reference_")
        if (
            name != "trajectories"
            and of_level not in ("conductivity", "cost")
            and not of_level.startswith("diffusion_")
        ):
            raise ValueError(f"{name} is not an input: trajectories, thermo and forces go to ion.trajectory_comparison")


def compared_trajectories(node: Any, settings: Mapping[str, Any]) -> Findings:
    """Return what a job found in the trajectories of both levels.

    :param node: output of `ion.trajectory_comparison`; ``None`` where there is none.
    :param settings: parameters of the comparison.
    :raises ValueError: if it compares other levels of theory.
    """
    findings = Findings()
    if node is None:
        reason = settings.get("trajectories_missing") or "the trajectories of the two levels were not compared"
        findings.lack(f"Forces, structure and vibrations: {reason.rstrip('.')}.")
        return findings
    attributes = node.base.attributes.all
    levels = [settings["level_of_theory"], settings["reference_level_of_theory"]]
    if attributes["levels_of_theory"] != levels:
        compared = " and ".join(attributes["levels_of_theory"])
        raise ValueError(f"trajectories of {compared} were compared, not of {' and '.join(levels)}")
    findings.attributes = dict(attributes["findings"])
    findings.missing = list(attributes["missing"])
    findings.arrays = dict(node.get_iterarrays())
    return findings


def compare_cost(nodes: Mapping[str, Any], settings: Mapping[str, Any]) -> Findings:
    """Compare what a step costs.

    :param nodes: `cost` and `reference_cost`, ledgers of all molecular dynamics of a level.
    :param settings: parameters of the comparison.
    """
    findings = Findings()
    ledgers = {}
    for prefix in ("", "reference_"):
        node = nodes.get(f"{prefix}cost")
        if node is None:
            findings.lack(f"Cost: it is not known of {settings[f'{prefix}level_of_theory']}.")
            continue
        ledgers[prefix] = node.get_dict()
        findings.say(cost_per_step(ledgers[prefix]), prefix)
    if len(ledgers) == 2:
        ratios = speed_ratios(ledgers["reference_"], ledgers[""])
        findings.say(ratios)
        if not ratios:
            findings.lack(
                "Speed: the ledgers do not give the cost of a step of the same number of atoms at both levels."
            )
    return findings


def summary(attributes: Mapping[str, Any]) -> str:
    """Return the comparison in one sentence."""
    parts = [*_transport_words(attributes), *_force_words(attributes)]
    if "rdf_distance" in attributes:
        parts.append(f"radial distributions {attributes['rdf_distance']:.3f} apart")
    if "wall_speed_ratio" in attributes:
        parts.append(f"a step takes {attributes['wall_speed_ratio']:.3g} times less wall time")
    what = f"{attributes['formula']}, {attributes['level_of_theory']} against {attributes['reference_level_of_theory']}"
    return f"{what}: {'; '.join(parts) or 'nothing can be compared'}."


def _transport_words(attributes: Mapping[str, Any]) -> list[str]:
    parts = []
    if "ionic_conductivity_ratio" in attributes:
        interval = _interval(attributes.get("ionic_conductivity_ratio_ci95"))
        where = f"ionic conductivity at {attributes['target_temperature_K']:g} K"
        parts.append(f"{where} {attributes['ionic_conductivity_ratio']:.3g}{interval} times that of the reference")
    if "activation_energy_difference_eV" in attributes:
        interval = _interval(attributes.get("activation_energy_difference_ci95_eV"))
        parts.append(f"activation energy {attributes['activation_energy_difference_eV']:+.3f}{interval} eV")
    if "log10_tracer_diffusivity_mae" in attributes:
        number = attributes["n_temperatures_compared"]
        where = f"over {number} temperature{'s' if number > 1 else ''}"
        parts.append(f"diffusivities {attributes['log10_tracer_diffusivity_mae']:.2f} decades apart {where}")
    return parts


def _force_words(attributes: Mapping[str, Any]) -> list[str]:
    if "force_mae_eV_A" not in attributes:
        return []
    text = f"forces off by {attributes['force_mae_eV_A']:.3f} eV/angstrom on {attributes['force_n_frames']} frames"
    if attributes.get("reference_force_rms_eV_A"):
        text += f" (RMSE {attributes['force_rmse_eV_A'] / attributes['reference_force_rms_eV_A']:.0%} of their size)"
    return [text]


def _interval(edges: Any) -> str:
    return f" [{edges[0]:.3g}, {edges[1]:.3g}]" if edges else ""
