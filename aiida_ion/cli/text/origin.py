"""The origin of a result as text: structure, potential, checkpoint, program and code of the processes behind it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from aiida import orm
from aiida.common.links import LinkType

from aiida_ion.cli.text.levels import level_line
from aiida_ion.cli.text.tables import text, version_text
from aiida_ion.queries.reading.kinds import Attributes, read_attributes


def ancestors(node: orm.Node) -> list[orm.ProcessNode]:
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


def origin_lines(processes: Iterable[orm.ProcessNode]) -> list[str]:
    """Return the inputs that decide a result, each once: structure, potential, checkpoint, program, code."""
    lines: dict[str, None] = {}
    for process in processes:
        if not isinstance(process, orm.WorkflowNode):
            lines[f"{process.process_label} {process.pk}, {process.ctime:%Y-%m-%d %H:%M}"] = None
        for link in process.base.links.get_incoming().all():
            described = _input(link.link_label.rpartition("__")[2], link.node)
            if described:
                lines[f"  {described}"] = None
        versions = outputs_of(process).get("versions")
        if isinstance(versions, orm.Dict):
            stated = _attributes(versions)
            lines[f"  versions: {version_text(stated, skip=('checkpoint',))}"] = None
            level = level_line(stated)
            if level is not None:
                lines[f"  {level}"] = None
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
    """Return the formula of a structure, or that its sites cannot be read."""
    try:
        return str(node.get_formula())
    except Exception:  # AiiDA raises many kinds
        return "sites that cannot be read"


def _attributes(node: orm.Node) -> Attributes:
    return read_attributes(node.base.attributes.all)


def outputs_of(node: orm.ProcessNode) -> dict[str, Any]:
    """Return the outputs by their labels; those in a namespace carry its name before two underscores."""
    links = node.base.links.get_outgoing(link_type=(LinkType.CREATE, LinkType.RETURN)).all()
    return {link.link_label: link.node for link in links}
