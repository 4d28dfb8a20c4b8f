"""A dataset -> its labelled frames, read from the nodes that hold them, and checked by their hash."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from aiida import orm
from aiida.common.exceptions import NotExistent
from ase import Atoms

from aiida_ion.calculations.training.labels import labelled_run
from aiida_ion.calculations.training.levels import Level
from aiida_ion.calculations.training.sources import Source
from aiida_ion.training.cells import wrap
from aiida_ion.training.extxyz import text_sha256, write_extxyz
from aiida_ion.training.frames import SPLITS, LabelledFrame
from aiida_ion.training.runs import LabelledRun


def dataset_frames(dataset: orm.ArrayData) -> list[LabelledFrame]:
    """Return the frames of a dataset in the order of its rows: positions wrapped into the cell, float64.

    :param dataset: the output of ``ion.training_dataset``.
    :raises ValueError: if a node of a source is not in this profile, or the frames are not those whose hash the dataset
        keeps.
    """
    sources = dataset.base.attributes.get("sources")
    runs = [labelled_run(_source(one, number)) for number, one in enumerate(sources)]
    source, frame, split = (dataset.get_array(name) for name in ("source", "frame", "split"))
    row = np.zeros(len(source), dtype=np.int64)
    for number, run in enumerate(runs):
        mine = np.flatnonzero(source == number)
        order = np.argsort(run.frames, kind="stable")
        place = np.searchsorted(run.frames[order], frame[mine])
        if len(mine) and (place.max() >= len(run) or not np.array_equal(run.frames[order][place], frame[mine])):
            raise ValueError(f"{run.name} does not have all frames that dataset {dataset.pk} names")
        row[mine] = order[place]
    frames = frames_of(runs, source, row, split)
    expected = dataset.base.attributes.get("sha256")
    if text_sha256(write_extxyz(frames)) != expected:
        raise ValueError(
            f"the frames of dataset {dataset.pk} are not those that it was made of (sha256 {expected[:12]}...): a "
            "trajectory or its labels were changed, or written by another version of this package; make it again with "
            "'aiida-ion potential dataset'"
        )
    return frames


def training_cell(dataset_uuid: str) -> orm.StructureData:
    """Return the first frame of a dataset as a structure.

    :raises ValueError: if the dataset, or what it is made of, is not in this profile.
    """
    try:
        frame = dataset_frames(orm.load_node(uuid=dataset_uuid))[0]  # type: ignore[arg-type]
    except NotExistent as error:
        raise ValueError(f"the dataset {dataset_uuid} is not in this profile: give a structure") from error
    return orm.StructureData(ase=Atoms(list(frame.symbols), positions=frame.positions, cell=frame.cell, pbc=True))


def _source(about: dict[str, Any], number: int) -> Source:
    """Return a source from what a dataset keeps of it."""
    nodes: dict[str, Any] = {}
    for name in ("trajectory", "thermo", "labels"):
        try:
            nodes[name] = orm.load_node(uuid=about[name]) if about.get(name) else None
        except NotExistent as error:
            raise ValueError(
                f"the {name} {about[name]} of the dataset is not in this profile: import the archive that it is from, "
                "with its trajectories"
            ) from error
    level = Level(about["level_of_theory"], {}, about.get("level_of_theory_sha256"))
    return Source(f"source {number}", nodes["trajectory"], nodes["thermo"], nodes["labels"], level, about["run"])


def frames_of(runs: Sequence[LabelledRun], source: Any, row: Any, split: Any) -> list[LabelledFrame]:
    """Return chosen frames of labelled runs.

    :param runs: the sources.
    :param source: shape (n,), the source of each frame.
    :param row: shape (n,), its row there.
    :param split: shape (n,), as in ``SPLITS``.
    """
    frames = []
    for number, place, use in zip(source, row, split, strict=True):
        run = runs[number]
        stress = run.stress[place]
        frames.append(
            LabelledFrame(
                symbols=run.symbols,
                positions=wrap(run.positions[place], run.cells[place]),
                cell=np.asarray(run.cells[place], dtype=np.float64),
                energy_eV=float(run.energies_eV[place]),
                forces=np.asarray(run.forces[place], dtype=np.float64),
                stress=np.asarray(stress, dtype=np.float64) if np.isfinite(stress).all() else None,
                split=SPLITS[use],
                source=int(number),
                index=int(run.frames[place]),
                temperature_K=run.temperature_K,
            )
        )
    return frames
