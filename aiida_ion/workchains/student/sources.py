"""What a student is trained on: the teacher's own runs, and the frames that it labelled; plain data of the context."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiida import orm

from aiida_ion.calculations.training.dataset import training_dataset
from aiida_ion.calculations.training.generated import generate_frames, push_pairs
from aiida_ion.calculations.training.sources import trajectory_key
from aiida_ion.workchains.student.cells import MAIN, link_label
from aiida_ion.workchains.student.parameters import StudentParameters
from aiida_ion.workchains.student.runs import trajectories_of

#: Frames of generated configurations do not follow each other in time: none is too close to another one, fs.
NO_STRIDE_FS = 1e-3


def teacher_sources(node: Any, role: str, number: int) -> list[dict[str, Any]]:
    """Return the segments of a run of the teacher as sources of a dataset.

    :param role: what its frames are used for.
    :param number: of the run.
    """
    thermo = node.outputs.thermo
    return [
        {"trajectory": segment.pk, "thermo": thermo[key].pk, "split": role, "run": number}
        for key, segment in trajectories_of(node).items()
    ]


def labelled_sources(
    frames: Mapping[str, int], labels: Mapping[str, Any], sources: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return frames that the teacher labelled as sources for training, each a run of its own.

    :param frames: pk of each trajectory, by name.
    :param labels: of each, by the same name.
    :param sources: those of before.
    """
    number = 1 + max(source["run"] for source in sources)
    return [
        {"trajectory": frames[key], "labels": node.pk, "split": "train", "run": number + offset}
        for offset, (key, node) in enumerate(labels.items())
    ]


def first_frames(cell: orm.StructureData, run: Any, parameters: StudentParameters, name: str = MAIN) -> dict[str, int]:
    """Return displaced, strained and pushed copies, which runs of the teacher never show: pks by name.

    :param cell: that is simulated.
    :param run: the teacher's run for training.
    :param name: of the crystal.
    """
    segment = next(iter(trajectories_of(run).values()))
    generated: Any = generate_frames(cell, orm.Dict({"seed": parameters.seed} | parameters.generate))
    pushed: Any = push_pairs(orm.Dict({"seed": parameters.seed} | parameters.push), trajectory_000=segment)
    return {link_label("generated", name): generated.pk, link_label("pushed", name): pushed.pk}


def gather(sources: Sequence[Mapping[str, Any]]) -> orm.ArrayData:
    """Return the dataset of everything that is labelled."""
    dataset: orm.ArrayData = training_dataset(orm.Dict(dataset_parameters(sources)), **dataset_nodes(sources))
    return dataset


def dataset_parameters(sources: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the parameters of the dataset of some sources; each says its ``split``."""
    return {
        "split": "given",
        "splits": {trajectory_key(number): source["split"] for number, source in enumerate(sources)},
        "runs": {trajectory_key(number): source["run"] for number, source in enumerate(sources)},
        "stride_fs": NO_STRIDE_FS,
    }


def dataset_nodes(sources: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the nodes of sources under the names that ``ion.training_dataset`` knows."""
    nodes: dict[str, Any] = {}
    for number, source in enumerate(sources):
        for name in ("trajectory", "thermo", "labels"):
            if source.get(name) is not None:
                nodes[f"{name}_{number:03d}"] = orm.load_node(source[name])
    return nodes
