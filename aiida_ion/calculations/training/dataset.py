"""``ion.training_dataset``: labelled frames of stored runs, chosen, checked and split: indices, not copies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from aiida import orm
from aiida.engine import calcfunction

from aiida_ion.calculations.training.checks import check_levels
from aiida_ion.calculations.training.frames import frames_of
from aiida_ion.calculations.training.labels import labelled_run
from aiida_ion.calculations.training.sources import Source, sources_of
from aiida_ion.training.bounds import watch_bounds
from aiida_ion.training.checks.refusals import DUPLICATE, check_labels, usable_frames, without_duplicates
from aiida_ion.training.constants import element_constants
from aiida_ion.training.coverage import coverage
from aiida_ion.training.extxyz import text_sha256, write_extxyz
from aiida_ion.training.frames import SPLITS, LabelledFrame, elements_of
from aiida_ion.training.runs import LabelledRun
from aiida_ion.training.selection import Selection, select
from aiida_ion.training.settings import DatasetSettings

DATASET_UNITS = {"source": "1", "frame": "1", "step": "1", "split": "0 train, 1 validation, 2 test", "block": "1"}
#: Parameters beside the settings: what is known of sources that say it not themselves.
PUSH = "aiida.calculations:ion.push_pairs"
ABOUT_SOURCES = ("runs", "level_of_theory")


@calcfunction
def training_dataset(parameters: orm.Dict, **nodes: Any) -> orm.ArrayData:
    """Choose labelled frames of stored runs for training, validation and test.

    :param parameters: settings of :class:`~aiida_ion.training.settings.DatasetSettings`; also ``runs`` (name of a
        trajectory -> number of its run) and ``level_of_theory`` (of sources that do not say theirs).
    :param nodes: ``trajectory_000`` with forces, and its ``thermo_000`` with energies; or its ``labels_000`` of
        ``ion.forces``, which then count; ``trajectory_001``, ...
    :returns: for each of n frames ``source`` and ``frame`` (indices of the trajectory and in it), ``step``, ``split``
        (0 train, 1 validation, 2 test) and ``block``; all else as attributes.
    :raises ValueError: for what cannot be trained on; the message says what to do.
    """
    given = parameters.get_dict()
    settings = DatasetSettings.from_dict({key: value for key, value in given.items() if key not in ABOUT_SOURCES})
    sources = sources_of(nodes, given.get("runs"))
    choice = choose(sources, settings, given.get("level_of_theory"))
    return dataset_node(sources, choice, settings.to_dict() | {key: given.get(key) for key in ABOUT_SOURCES})


@dataclass(frozen=True)
class Choice:
    """What was chosen of sources.

    :param runs: the frames of each source that can be used.
    :param selection: those that are used, and for what.
    :param refused: reason -> frames that were left out.
    :param checks: of each source, how energies were tested against forces.
    :param remarks: sentences for the user.
    """

    runs: list[LabelledRun]
    selection: Selection
    refused: dict[str, int]
    checks: list[dict[str, Any]]
    remarks: list[str]


def choose(sources: Sequence[Source], settings: DatasetSettings, default_level: str | None) -> Choice:
    """Check sources, and choose their frames.

    :param default_level: name of the level of theory of sources that do not say theirs.
    :raises ValueError: for what cannot be trained on; the message says what to do.
    """
    runs, refused = [], Counter[str]()
    for source in sources:
        run, left_out = usable_frames(labelled_run(source, default_level), settings)
        runs.append(run)
        refused.update(left_out)
    remarks = check_levels(sources, runs, settings.allow)
    checks, more = check_labels(runs, settings.allow)
    runs, n_duplicates = without_duplicates(runs)
    refused[DUPLICATE] += n_duplicates
    selection = select(runs, [source.key for source in sources], settings)
    refused.update(selection.left_out)
    counts = {reason: count for reason, count in refused.items() if count}
    return Choice(runs, selection, counts, checks, remarks + more)


def dataset_node(sources: Sequence[Source], choice: Choice, parameters: Mapping[str, Any]) -> orm.ArrayData:
    """Return the dataset of sources as an unstored node.

    :param parameters: settings and what is known of the sources, for the record.
    """
    runs, selection = choice.runs, choice.selection
    frames = frames_of(runs, selection.source, selection.row, selection.split)
    node = orm.ArrayData()
    for name, array in _arrays(runs, selection).items():
        node.set_array(name, array)
    node.base.attributes.set_many(
        {
            "sources": [_about(source, run) for source, run in zip(sources, runs, strict=True)],
            **_counts(frames),
            "elements": elements_of(frames),
            "level_of_theory": runs[0].level_of_theory,
            **element_constants(frames),
            **coverage(frames),
            "watch": watch_bounds(frames, [i for i, source in enumerate(sources) if is_pushed(source)]),
            "split_rule": selection.split_rule,
            "strides_fs": [selection.strides_fs[run.run] for run in runs],
            "correlation_fs": [selection.correlation_fs[run.run] for run in runs],
            "refused": choice.refused,
            "checks": choice.checks,
            "remarks": choice.remarks + stress_remarks(frames),
            "has_stress": all(frame.stress is not None for frame in frames),
            "sha256": text_sha256(write_extxyz(frames)),
            "parameters": dict(parameters),
            "units": DATASET_UNITS,
        }
    )
    node.label = f"{runs[0].level_of_theory}: {len(frames)} frames"
    return node


def is_pushed(source: Source) -> bool:
    """Return whether the pairs of a source were pushed together: it is what ``ion.push_pairs`` made."""
    return source.trajectory.creator is not None and source.trajectory.creator.process_type == PUSH


def stress_remarks(frames: Sequence[LabelledFrame]) -> list[str]:
    """Return a sentence where not every frame has its stress."""
    without = sum(frame.stress is None for frame in frames)
    if not without:
        return []
    return [
        f"{without} of {len(frames)} frames have no stress: pressure and npt of a potential trained on them are not."
    ]


def _arrays(runs: Sequence[LabelledRun], selection: Selection) -> dict[str, Any]:
    pairs = list(zip(selection.source, selection.row, strict=True))
    return {
        "source": selection.source,
        "frame": np.array([runs[number].frames[row] for number, row in pairs], dtype=np.int64),
        "step": np.array([runs[number].steps[row] for number, row in pairs], dtype=np.int64),
        "split": selection.split,
        "block": selection.block,
    }


def _about(source: Source, run: LabelledRun) -> dict[str, Any]:
    return {
        "trajectory": source.trajectory.uuid,
        "thermo": source.thermo.uuid if source.thermo is not None else None,
        "labels": source.labels.uuid if source.labels is not None else None,
        "run": source.run,
        "temperature_K": source.temperature_K,
        "level_of_theory": run.level_of_theory,
        "level_of_theory_sha256": source.level.sha256,
    }


def _counts(frames: Sequence[LabelledFrame]) -> dict[str, Any]:
    number = Counter(frame.split for frame in frames)
    return {f"n_{split}": number[split] for split in SPLITS}
