"""Nodes that a user names -> the trajectories behind them, with energies and labels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiida import orm
from aiida.common.exceptions import NotExistent
from aiida.common.links import LinkType

from aiida_ion.batch_runs import outputs_of_run

#: Outputs of the work chain of a run are named like this, one for each segment; those of ``ion.labels`` start so.
SEGMENT, LABELS = "trajectories__segment_", "labels__"


@dataclass(frozen=True)
class SourceNodes:
    """The nodes of one source of a dataset.

    :param trajectory: its frames.
    :param thermo: energies at every step of the run; ``None`` where there is none.
    :param labels: energies and forces by another level of theory, of some of the frames.
    """

    trajectory: orm.TrajectoryData
    thermo: orm.ArrayData | None = None
    labels: orm.ArrayData | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What makes it a source of its own."""
        return str(self.trajectory.uuid), str(self.labels.uuid) if self.labels is not None else ""

    @property
    def reason(self) -> str | None:
        """Why it cannot be a source; ``None`` where it can."""
        name = f"trajectory {self.trajectory.pk}{f' {self.trajectory.label}' if self.trajectory.label else ''}"
        if self.labels is not None:
            return None
        if "forces" not in self.trajectory.get_arraynames():
            return f"{name} holds no forces: run it with --keep forces, or label its frames with ion.forces"
        if self.thermo is None:
            return f"{name} comes without energies"
        return None


@dataclass
class Gathered:
    """The sources behind nodes.

    :param sources: each once, in the order in which they were named.
    :param left_out: sentences on what cannot be a source.
    """

    sources: list[SourceNodes] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def add(self, sources: Iterable[SourceNodes]) -> None:
        """Add sources that can be used and are not there yet."""
        for source in sources:
            if source.reason is not None:
                self.left_out += [source.reason] if source.reason not in self.left_out else []
            elif source.key not in {one.key for one in self.sources}:
                self.sources.append(source)


def gather_sources(nodes: Sequence[orm.Node]) -> Gathered:
    """Return the labelled trajectories behind nodes.

    :param nodes: work chains, jobs, trajectories, labels of ``ion.forces``, or other datasets.
    :raises ValueError: for a node behind which there is none.
    """
    gathered = Gathered()
    for node in nodes:
        before = len(gathered.sources) + len(gathered.left_out)
        sources = list(_behind(node))
        if not sources:
            raise ValueError(
                f"node {node.pk} ({node.process_label if isinstance(node, orm.ProcessNode) else type(node).__name__}) "
                "has no trajectory; name conductivities, runs, trajectories, labels of ion.forces or other datasets"
            )
        gathered.add(sources)
        if len(gathered.sources) + len(gathered.left_out) == before:
            gathered.left_out.append(f"node {node.pk} adds nothing: its trajectories are among the others")
    return gathered


def gather_trajectories(node: orm.Node) -> list[orm.TrajectoryData]:
    """Return the trajectories behind a node, each once, whether they hold forces or not."""
    return list({source.trajectory.uuid: source.trajectory for source in _behind(node)}.values())


def _behind(node: orm.Node) -> Iterable[SourceNodes]:
    if isinstance(node, orm.TrajectoryData):
        yield SourceNodes(node, thermo_of(node))
    elif isinstance(node, orm.ArrayData) and "segments" in node.base.attributes.all:
        yield from _of_labels(node)
    elif isinstance(node, orm.ArrayData) and "sources" in node.base.attributes.all:
        yield from _of_dataset(node)
    elif isinstance(node, orm.CalcJobNode):
        outputs = _outputs(node)
        if isinstance(outputs.get("trajectory"), orm.TrajectoryData):
            yield SourceNodes(outputs["trajectory"], outputs.get("thermo"))
        elif isinstance(outputs.get("forces"), orm.ArrayData):
            yield from _of_labels(outputs["forces"])
    elif isinstance(node, orm.WorkflowNode):
        for chain in [node, *node.called_descendants]:
            if isinstance(chain, orm.WorkflowNode):
                yield from _of_chain(chain)


def _of_chain(chain: orm.WorkflowNode) -> Iterable[SourceNodes]:
    """Return the segments that the work chain of a run returns, or the frames that one of labels labelled, in order."""
    outputs = _outputs(chain)
    for label in sorted(outputs):
        if label.startswith(LABELS):
            yield from _of_labels(outputs[label])
        if label.startswith(SEGMENT):
            thermo = outputs.get(label.replace("trajectories__", "thermo__"))
            yield SourceNodes(outputs[label], thermo or thermo_of(outputs[label]))


def _of_labels(labels: orm.ArrayData) -> Iterable[SourceNodes]:
    """Return the trajectories whose frames a job labelled."""
    job = labels.creator
    if job is None:
        return
    links = job.base.links.get_incoming(link_type=LinkType.INPUT_CALC).all()
    frames = labels.get_array("segment")
    segments = labels.base.attributes.get("segments")
    for link in sorted(links, key=lambda one: str(one.link_label)):
        key = link.link_label.removeprefix("trajectories__")
        if isinstance(link.node, orm.TrajectoryData) and key in segments and segments.index(key) in frames:
            yield SourceNodes(link.node, None, labels)


def _of_dataset(dataset: orm.ArrayData) -> Iterable[SourceNodes]:
    for about in dataset.base.attributes.get("sources"):
        if isinstance(about, dict) and "trajectory" in about:
            nodes: dict[str, Any] = {
                name: orm.load_node(uuid=about[name]) for name in ("trajectory", "thermo", "labels") if about.get(name)
            }
            yield SourceNodes(nodes["trajectory"], nodes.get("thermo"), nodes.get("labels"))


def thermo_of(trajectory: orm.TrajectoryData) -> orm.ArrayData | None:
    """Return the energies of a trajectory: of its job, or those that were imported with it; ``None`` without any."""
    if isinstance(trajectory.creator, orm.CalcJobNode):
        thermo = outputs_of_run(trajectory).get("thermo")
        return thermo if isinstance(thermo, orm.ArrayData) else None
    uuid = trajectory.base.attributes.get("thermo", None)
    try:
        node: Any = orm.load_node(uuid=uuid) if uuid else None
    except NotExistent:
        return None
    return node if isinstance(node, orm.ArrayData) else None


def _outputs(process: orm.ProcessNode) -> dict[str, Any]:
    links = process.base.links.get_outgoing(link_type=(LinkType.CREATE, LinkType.RETURN)).all()
    return {str(link.link_label): link.node for link in links}
