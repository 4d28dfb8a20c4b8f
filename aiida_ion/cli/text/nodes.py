"""Nodes as text: processes with their children, results, and the origin of both."""

from __future__ import annotations

from collections.abc import Iterable

from aiida import orm

from aiida_ion.cli.disorder.defect_lines import stored_defect_lines
from aiida_ion.cli.disorder.text import stored_ensemble_lines
from aiida_ion.cli.text.barriers import barrier_lines
from aiida_ion.cli.text.jumps import short_jump_lines
from aiida_ion.cli.text.origin import ancestors, origin_lines, outputs_of
from aiida_ion.cli.text.results import result_lines
from aiida_ion.cli.text.screenings.results import screening_sections
from aiida_ion.cli.text.students import is_student
from aiida_ion.cli.text.tables import printable, text
from aiida_ion.exit_codes import is_usable
from aiida_ion.queries.barriers import barrier_outputs, is_barrier
from aiida_ion.queries.reading.kinds import Attributes, read_attributes
from aiida_ion.queries.running.processes import ENDED
from aiida_ion.queries.training.students import model_error_lines, students_behind


def describe(node: orm.Node) -> str:
    """Return a node as text."""
    lines = [f"{_title(node)}  uuid {node.uuid}"]
    if isinstance(node, orm.ProcessNode):
        lines += _process(node)
        if is_barrier(node):
            lines += ["", *_indent(barrier_lines(barrier_outputs(node)))]
        result = _result_of(node)
        if result is not None:
            lines += ["", f"Result (node {result.pk}):", *_indent(result_lines(result))]
            lines += _section("Student", _students(result))
        lines += _section("Comparisons", _comparisons(node))
        lines += _section("Jump analyses", _jump_analyses(node))
        lines += screening_sections(node)
        lines += _section("Cells with defects", stored_defect_lines(node))
        lines += _section("Ordered cells", stored_ensemble_lines(outputs_of(node)))
        lines += _section("Inputs", origin_lines([node]))
        lines += _section("Children", [_child(child) for child in sorted(node.called, key=lambda item: item.ctime)])
        look = [f"verdi process report {node.pk}", f"verdi process show {node.pk}"]
        if isinstance(node, orm.CalcJobNode):
            look.append(f"verdi calcjob outputcat {node.pk}")
    else:
        lines += result_lines(node)
        lines += _section("Student", _students(node))
        lines += _section("Origin", origin_lines(ancestors(node)))
        look = [f"verdi node show {node.pk}", f"verdi node graph generate {node.pk}"]
        if node.creator is not None:
            look.insert(0, f"aiida-ion show {node.creator.pk}")
    return "\n".join(map(printable, [*lines, "", "To look further: " + "; ".join(look)]))


def _title(node: orm.Node) -> str:
    kind = node.process_label if isinstance(node, orm.ProcessNode) else node.__class__.__name__
    return f"{kind} {node.pk}{f'  {node.label!r}' if node.label else ''}"


def _process(node: orm.ProcessNode) -> list[str]:
    if _is_done(node):
        return [f"finished, {node.ctime:%Y-%m-%d %H:%M}"]
    attributes = _attributes(node)
    state = text(attributes["process_state"] or "unknown")
    if attributes["process_state"] == "finished" and is_usable(attributes["exit_status"]):
        return [f"finished with a warning [{text(attributes['exit_status'])}] {text(attributes['exit_message'])}"]
    if state in ENDED:
        why = text(attributes["exit_message"] or attributes["exception"] or state).strip().splitlines()
        return [f"FAILED [{text(attributes['exit_status'])}] {why[-1] if why else state}"]
    return [f"{state}; 'aiida-ion status {node.pk}' says how far"]


def _attributes(node: orm.Node) -> Attributes:
    return read_attributes(node.base.attributes.all)


def _is_done(node: orm.ProcessNode) -> bool:
    attributes = _attributes(node)
    return bool(attributes["process_state"] == "finished" and attributes["exit_status"] == 0)


def _result_of(node: orm.ProcessNode) -> orm.Node | None:
    """Return the main output of a process."""
    outputs = outputs_of(node)
    for name in ("conductivity", "diffusion", "jumps", "convergence", "report"):
        if isinstance(outputs.get(name), orm.Node):
            result: orm.Node = outputs[name]
            return result
    return outputs.get("cost") if isinstance(outputs.get("cost"), orm.Node) else None


def _students(node: orm.Node) -> list[str]:
    """Return what is known of the error of each student whose runs a result comes from."""
    lines = []
    for report in students_behind(ancestors(node)) if not is_student(_attributes(node)) else []:
        attributes = _attributes(report)
        about = f"{text(attributes['level_of_theory'])}: {text(attributes['outcome']).replace('_', ' ')}"
        error = model_error_lines(attributes["model_error"]) or ["Model error of the diffusivity: NOT KNOWN"]
        lines += [f"{about}, report node {report.pk}", *_indent(error)]
    return lines


def _comparisons(node: orm.ProcessNode) -> list[str]:
    """Return a line for each comparison of levels of theory of a process."""
    comparisons = [
        output for output in outputs_of(node).values() if "reference_level_of_theory" in output.base.attributes.all
    ]
    return [f"node {one.pk}: {text(_attributes(one)['summary'])}" for one in comparisons]


def _jump_analyses(node: orm.ProcessNode) -> list[str]:
    """Return two lines for each jump analysis of a work chain."""
    analyses = [one for label, one in outputs_of(node).items() if label.startswith("jumps__")]
    return short_jump_lines(analyses)


def _child(node: orm.ProcessNode) -> str:
    label = node.base.links.get_incoming().all()
    name = next((link.link_label for link in label if isinstance(link.node, orm.WorkflowNode)), "")
    attributes = _attributes(node)
    why = text(attributes["exit_message"] or attributes["process_state"])
    state = "finished" if _is_done(node) else f"[{text(attributes['exit_status'])}] {why}"
    return f"{node.pk}  {node.process_label}  {name}: {state}"


def _section(title: str, lines: list[str]) -> list[str]:
    return ["", f"{title}:", *_indent(lines)] if lines else []


def _indent(lines: Iterable[str]) -> list[str]:
    return [f"  {line}" for line in lines]
