"""Nodes in words: results with their intervals and checks, processes with their children, and where both came from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from aiida import orm
from aiida.common.links import LinkType

from aiida_ion.cli.text.comparisons import comparison_lines
from aiida_ion.cli.text.convergence import convergence_lines
from aiida_ion.cli.text.extrapolation import extrapolation_lines
from aiida_ion.cli.text.jumps import is_jump_analysis, jump_lines, short_jump_lines
from aiida_ion.cli.text.species import species_lines
from aiida_ion.cli.text.tables import (
    entries,
    number,
    printable,
    sentences,
    text,
    value_or_bound,
    version_text,
    with_interval,
)
from aiida_ion.queries.cells import known
from aiida_ion.queries.reading.kinds import Attributes, read_attributes
from aiida_ion.queries.running.processes import ENDED
from aiida_ion.verdicts import MOVED, POORLY_KNOWN, verdict_of, words_of

#: Attributes of a diffusion node that check it, in the order of reading.
CHECKS = (
    ("n_eff", "effective hops"),
    ("n_hops", "counted hops"),
    ("n_ions_hopped", "ions that hopped"),
    ("log_log_slope", "log-log slope of the MSD"),
    ("max_msd_A2", "largest MSD, angstrom^2"),
    ("framework_msd_A2", "framework MSD, angstrom^2"),
    ("drift_A", "drift removed, angstrom"),
    ("fit_consistent", "kinisi and least squares agree"),
    ("analysed_time_ps", "analysed, ps"),
    ("n_replicas", "replicas"),
    ("temperature_mean_K", "measured temperature, K"),
)
#: How remarks begin that may change a result.
WARNING = "WARNING: "
#: Attributes of a trajectory that came from a file.
SOURCE = (
    *("source_file", "source_sha256", "source_format", "source_program", "source_n_frames", "source_n_left_out"),
    *("source_numbers", "source_units", "source_cell", "source_wrapping"),
)


def describe(node: orm.Node) -> str:
    """Return what there is to say on a node, in lines."""
    lines = [f"{_title(node)}  uuid {node.uuid}"]
    if isinstance(node, orm.ProcessNode):
        lines += _process(node)
        result = _result_of(node)
        if result is not None:
            lines += ["", f"Result (node {result.pk}):", *_indent(_result(result))]
        lines += _section("Comparisons", _comparisons(node))
        lines += _section("Jump analyses", _jump_analyses(node))
        lines += _section("Inputs", _origin([node]))
        lines += _section("Children", [_child(child) for child in sorted(node.called, key=lambda item: item.ctime)])
        look = [f"verdi process report {node.pk}", f"verdi process show {node.pk}"]
        if isinstance(node, orm.CalcJobNode):
            look.append(f"verdi calcjob outputcat {node.pk}")
    else:
        lines += _result(node)
        lines += _section("Origin", _origin(_ancestors(node)))
        look = [f"verdi node show {node.pk}", f"verdi node graph generate {node.pk}"]
        if node.creator is not None:
            look.insert(0, f"aiida-ion show {node.creator.pk}")
    return "\n".join(map(printable, [*lines, "", "To look further: " + "; ".join(look)]))


def _title(node: orm.Node) -> str:
    kind = node.process_label if isinstance(node, orm.ProcessNode) else node.__class__.__name__
    return f"{kind} {node.pk}{f'  {node.label!r}' if node.label else ''}"


def _attributes(node: orm.Node) -> Attributes:
    return read_attributes(node.base.attributes.all)


def _is_done(node: orm.ProcessNode) -> bool:
    attributes = _attributes(node)
    return bool(attributes["process_state"] == "finished" and attributes["exit_status"] == 0)


def _process(node: orm.ProcessNode) -> list[str]:
    if _is_done(node):
        return [f"finished, {node.ctime:%Y-%m-%d %H:%M}"]
    attributes = _attributes(node)
    state = text(attributes["process_state"] or "unknown")
    if state in ENDED:
        why = text(attributes["exit_message"] or attributes["exception"] or state).strip().splitlines()
        return [f"FAILED [{text(attributes['exit_status'])}] {why[-1] if why else state}"]
    return [f"{state}; 'aiida-ion status {node.pk}' says how far"]


def _outputs(node: orm.ProcessNode) -> dict[str, Any]:
    """Return the outputs by their labels; those in a namespace carry its name before two underscores."""
    links = node.base.links.get_outgoing(link_type=(LinkType.CREATE, LinkType.RETURN)).all()
    return {link.link_label: link.node for link in links}


def _result_of(node: orm.ProcessNode) -> orm.Node | None:
    """Return the output that the process is for."""
    outputs = _outputs(node)
    for name in ("conductivity", "diffusion", "jumps"):
        if isinstance(outputs.get(name), orm.Node):
            result: orm.Node = outputs[name]
            return result
    return outputs.get("cost") if isinstance(outputs.get("cost"), orm.Node) else None


def _comparisons(node: orm.ProcessNode) -> list[str]:
    """Return a line for each comparison of levels of theory that a process has put out."""
    comparisons = [
        output for output in _outputs(node).values() if "reference_level_of_theory" in output.base.attributes.all
    ]
    return [f"node {one.pk}: {text(_attributes(one)['summary'])}" for one in comparisons]


def _jump_analyses(node: orm.ProcessNode) -> list[str]:
    """Return two lines for each jump analysis that a work chain has put out."""
    analyses = [one for label, one in _outputs(node).items() if label.startswith("jumps__")]
    return short_jump_lines(analyses)


def _result(node: orm.Node) -> list[str]:
    attributes = _attributes(node)
    if isinstance(node, orm.TrajectoryData):
        return _trajectory(node)
    if is_jump_analysis(attributes):
        return jump_lines(node)
    if "reference_level_of_theory" in attributes:
        return comparison_lines(attributes)
    if "activation_energy_eV" in attributes:
        return _conductivity(attributes)
    if "verdict" in attributes:
        return _diffusion(attributes)
    skip = ("array|", "units", "symbols", "cell")
    plain = {key: value for key, value in attributes.items() if not key.startswith(skip)}
    return [f"{key}: {value}" for key, value in plain.items() if isinstance(value, (str, int, float, bool))]


def _diffusion(attributes: Mapping[str, Any]) -> list[str]:
    what = f"{text(attributes.get('formula'))}, {text(attributes.get('level_of_theory'))}"
    lines = [
        f"{what}, {number(attributes.get('target_temperature_K'), 6)} K, "
        f"{text(attributes.get('mobile_species'))} mobile"
    ]
    verdict = verdict_of(attributes)
    if verdict == MOVED:
        lines.append(f"diffusive; grade {text(attributes.get('grade'))}")
    elif verdict == POORLY_KNOWN:
        lines.append(
            f"diffusive, POORLY KNOWN; grade {text(attributes.get('grade'))}. {text(attributes.get('reason'))}"
        )
    else:
        lines.append(f"no diffusion detected: upper bound. {text(attributes.get('reason'))}")
    for name, unit, words in (
        ("tracer_diffusivity", "cm2_s", "tracer diffusivity, cm2/s"),
        ("ionic_conductivity", "mS_cm", "ionic conductivity (Nernst-Einstein), mS/cm"),
        ("collective_diffusivity", "cm2_s", "collective diffusivity, cm2/s"),
        ("collective_ionic_conductivity", "mS_cm", "ionic conductivity (collective), mS/cm"),
        ("green_kubo_ionic_conductivity", "mS_cm", "ionic conductivity (Green-Kubo), mS/cm"),
    ):
        value = value_or_bound(attributes, name, unit)
        if value != "-":
            lines.append(f"{words}: {value}")
    lines += species_lines(attributes)
    if known(attributes.get("haven_ratio")):
        lines.append(f"Haven ratio: {with_interval(attributes['haven_ratio'], attributes.get('haven_ratio_ci95'))}")
    checks = [f"{words} {_plain(attributes[name])}" for name, words in CHECKS if known(attributes.get(name))]
    lines.append(f"checks: {'; '.join(checks)}")
    lines += [f"warning: {warning}" for warning in sentences(attributes.get("warnings"))]
    return lines + _remarks(attributes)


def _remarks(attributes: Mapping[str, Any]) -> list[str]:
    """Return what was noted when the trajectories were read; warnings are among those of the result."""
    return [f"note: {remark}" for remark in sentences(attributes.get("remarks")) if not remark.startswith(WARNING)]


def _conductivity(attributes: Mapping[str, Any]) -> list[str]:
    lines = [text(attributes.get("summary"))]
    lines.append(f"verdict: {words_of(verdict_of(attributes))}")
    if known(attributes.get("reason")):
        lines.append(f"why: {text(attributes['reason'])}")
    target = number(attributes.get("target_temperature_K"), 6)
    lines.append(
        f"ionic conductivity at {target} K, mS/cm: {value_or_bound(attributes, 'ionic_conductivity', 'mS_cm')}"
    )
    energy = with_interval(attributes.get("activation_energy_eV"), attributes.get("activation_energy_ci95_eV"))
    lines.append(f"activation energy, eV: {energy}")
    lines += species_lines(attributes)
    lines += extrapolation_lines(attributes)
    used = ", ".join(number(value, 4) for value in attributes.get("temperatures_used_K") or [])
    lines.append(f"temperatures used, K: {used or 'none'}")
    for words, name in (("bound at", "temperatures_bound"), ("not used:", "temperatures_refused")):
        for item in entries(attributes.get(name)):
            lines.append(f"{words} {number(item.get('temperature_K'), 4)} K: {text(item.get('reason'))}")
    lines += convergence_lines(attributes.get("convergence"))
    return lines + [f"warning: {warning}" for warning in sentences(attributes.get("warnings"))]


def _trajectory(node: orm.TrajectoryData) -> list[str]:
    attributes = _attributes(node)
    shape = attributes["array|positions"]
    sized = isinstance(shape, list) and len(shape) == 3
    lines = [f"{text(shape[0])} frames of {text(shape[1])} atoms, angstrom, unwrapped"] if sized else []
    names = ("target_temperature_K", "timestep_fs", "sample_every", "equilibration_fs", "seed", "level_of_theory")
    for name in (*names, *SOURCE):
        if known(attributes.get(name)):
            lines.append(f"{name}: {attributes[name]}")
    warnings = [remark for remark in sentences(attributes.get("remarks")) if remark.startswith(WARNING)]
    return lines + [f"warning: {remark.removeprefix(WARNING)}" for remark in warnings] + _remarks(attributes)


def _ancestors(node: orm.Node) -> list[orm.ProcessNode]:
    """Return the calculations behind a node, the nearest first."""
    processes: dict[str, orm.ProcessNode] = {}
    waiting: list[Any] = [node]
    while waiting:
        current = waiting.pop(0)
        if isinstance(current, orm.CalculationNode):
            waiting += current.base.links.get_incoming(link_type=LinkType.INPUT_CALC).all_nodes()
        elif current.creator is not None and current.creator.uuid not in processes:
            processes[current.creator.uuid] = current.creator
            waiting.append(current.creator)
    return list(processes.values())


def _origin(processes: Iterable[orm.ProcessNode]) -> list[str]:
    """Return what decided the result: structure, potential, checkpoint, program, code; each once."""
    lines: dict[str, None] = {}
    for process in processes:
        if not isinstance(process, orm.WorkflowNode):
            lines[f"{process.process_label} {process.pk}, {process.ctime:%Y-%m-%d %H:%M}"] = None
        for link in process.base.links.get_incoming().all():
            described = _input(link.link_label.rpartition("__")[2], link.node)
            if described:
                lines[f"  {described}"] = None
        versions = _outputs(process).get("versions")
        if isinstance(versions, orm.Dict):
            stated = _attributes(versions)
            lines[f"  versions: {version_text(stated, skip=('checkpoint',))}"] = None
            checkpoint = stated["checkpoint"]
            if isinstance(checkpoint, Mapping) and checkpoint.get("sha256"):
                lines[f"  checkpoint: {text(checkpoint.get('name'))}, sha256 {text(checkpoint['sha256'])}"] = None
    return list(lines)


def _input(label: str, node: orm.Node) -> str | None:
    if isinstance(node, orm.StructureData):
        return f"{label}: {_formula(node)}, node {node.pk}{f' ({node.description})' if node.description else ''}"
    if isinstance(node, orm.AbstractCode):
        return f"code: {node.full_label}, node {node.pk}"
    if label == "potential" and isinstance(node, orm.Dict):
        described = ", ".join(f"{key} {value}" for key, value in _attributes(node).items() if value not in (None, {}))
        return f"potential: {described}, node {node.pk}"
    if label == "program" or isinstance(node, orm.SinglefileData):
        about = _attributes(node)
        name = text(about["program"] or about["filename"] or label)
        return f"{label}: {name}, sha256 {text(about['sha256'])}, node {node.pk}"
    if label.startswith("replica_") and isinstance(node, orm.TrajectoryData):
        source = _attributes(node)["source_sha256"]
        return f"trajectory: node {node.pk}{f', file sha256 {source}' if source else ''}"
    return None


def _formula(node: orm.StructureData) -> str:
    """Return the formula of a structure; of one whose sites cannot be read, none."""
    try:
        return str(node.get_formula())
    except Exception:  # whatever AiiDA trips over
        return "sites that cannot be read"


def _child(node: orm.ProcessNode) -> str:
    label = node.base.links.get_incoming().all()
    name = next((link.link_label for link in label if isinstance(link.node, orm.WorkflowNode)), "")
    attributes = _attributes(node)
    why = text(attributes["exit_message"] or attributes["process_state"])
    state = "finished" if _is_done(node) else f"[{text(attributes['exit_status'])}] {why}"
    return f"{node.pk}  {node.process_label}  {name}: {state}"


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "NO"
    return number(value, 4)


def _section(title: str, lines: list[str]) -> list[str]:
    return ["", f"{title}:", *_indent(lines)] if lines else []


def _indent(lines: Iterable[str]) -> list[str]:
    return [f"  {line}" for line in lines]
