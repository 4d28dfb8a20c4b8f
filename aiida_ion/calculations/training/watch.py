"""``ion.watch``: whether the frames of a run leave those that its potential was trained on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from aiida import orm
from aiida.common import datastructures, folders
from aiida.engine import ExitCode
from ase.data import atomic_numbers

from aiida_ion.calculations.chosen_frames import validate_trajectories
from aiida_ion.calculations.cleaning import CleaningCalculation
from aiida_ion.calculations.script import FILENAME_INPUTS, define_ledger, write_json
from aiida_ion.calculations.training.bounds import run_watch
from aiida_ion.calculations.training.frames import dataset_frames
from aiida_ion.calculations.trajectory_analysis import FILENAME_ARRAYS, TrajectoryAnalysisParser, symbols_of_segments
from aiida_ion.settings.schema import Settings, flag, number, summary, whole
from aiida_ion.settings.values import SettingsError
from aiida_ion.training.frames import SPLITS

FILENAME_TRAINING = "training_set.npz"
SEGMENT_ARRAYS = ("positions", "cells", "steps")
MEMBER_ARRAYS = ("forces", "segment", "frames")


@dataclass(frozen=True)
class WatchSettings(Settings):
    """When a frame is flagged."""

    what: ClassVar[str] = "watch setting"

    pair_margin_A: float | None = number(
        None,
        help="How far below the closest pair of the training frames a frame may come; not given: the bounds of the "
        "dataset, from the frames that were held out",
        least=0.0,
        unit="angstrom",
    )
    environments: bool = flag(True, help="Whether the surroundings of the atoms are compared with the training frames")
    max_environment_frames: int = whole(
        500,
        help="Frames, spread over the run, whose surroundings are compared, beside the last 20",
        least=1,
        most=10**6,
    )
    committee_bound_eV_A: float | None = number(
        None,
        help="Mean spread of the committee's forces above which a frame is flagged; not given: from the validation "
        "frames of `report`",
        above=0.0,
        unit="eV/angstrom",
    )


class WatchCalculation(CleaningCalculation):
    """The closest pair of each pair of elements in each frame, and what a committee disagrees on."""

    _program = "watch"

    @classmethod
    def define(cls, spec: Any) -> None:
        """Declare run, dataset, committee and the node of what was seen."""
        super().define(spec)
        spec.input_namespace(
            "trajectories",
            valid_type=orm.TrajectoryData,
            dynamic=True,
            help="Segments of one run: positions and cells in angstrom.",
        )
        spec.input(
            "dataset",
            valid_type=orm.ArrayData,
            help="What its potential was trained on: bounds (angstrom) and surroundings come from its frames.",
        )
        spec.input(
            "report",
            valid_type=orm.ArrayData,
            required=False,
            help="What `ion.report_training` said of the committee: its spread (eV/angstrom) on frames of validation.",
        )
        spec.input_namespace(
            "committee",
            valid_type=orm.ArrayData,
            dynamic=True,
            required=False,
            help="Forces (eV/angstrom) of two or more members of a committee on the same frames of this run, as "
            "`ion.forces` gives them.",
        )
        spec.input(
            "parameters",
            valid_type=orm.Dict,
            default=lambda: orm.Dict({}),
            validator=validate_watch_parameters,
            help=f"When a frame is flagged. {summary(WatchSettings)}.",
        )
        spec.output(
            "watch",
            valid_type=orm.ArrayData,
            required=False,
            help="Of each frame `closest_A` (n, pairs), angstrom, `committee_spread_eV_A` (n, 2: mean and largest over "
            "atoms), `environment` (n, no unit: distance of the farthest atom to the training atoms), `segment`, "
            "`frame`, `steps`; attributes `pairs`, `bounds_A`, `environment_bound`, `n_flagged` and `flagged`.",
        )
        define_ledger(spec)
        spec.inputs["metadata"]["options"]["parser_name"].default = "ion.watch"
        spec.inputs.validator = validate_watch_inputs

    def prepare_for_submission(self, folder: folders.Folder) -> datastructures.CalcInfo:
        """Have the arrays copied straight from their nodes."""
        copies: list[tuple[str, str, str]] = []
        segments = [
            _files(node, SEGMENT_ARRAYS, f"{key}_", copies) for key, node in sorted(self.inputs.trajectories.items())
        ]
        settings = WatchSettings.from_dict(self.inputs.parameters.get_dict())
        bounds, remarks = run_watch(self.inputs.dataset, settings.pair_margin_A), []
        assert bounds is not None  # refused otherwise
        training_set = None
        if settings.environments:
            try:
                write_training_set(Path(folder.get_abs_path(FILENAME_TRAINING)), self.inputs.dataset)
                training_set = FILENAME_TRAINING
            except ValueError as error:
                remarks.append(f"surroundings were not compared: {error}")
        members = sorted((self.inputs.get("committee") or {}).items())
        write_json(
            folder,
            FILENAME_INPUTS,
            {
                "segments": segments,
                "symbols": symbols_of_segments(self.inputs.trajectories),
                "bounds_A": bounds["bounds_A"],
                "rule": bounds["rule"],
                "training_set": training_set,
                "remarks": remarks,
                "committee_validation_eV_A": validation_spread(self.inputs.get("report"), self.inputs.dataset),
                "committee": [_files(node, MEMBER_ARRAYS, f"{key}_", copies) for key, node in members],
                "settings": settings.to_dict(),
            },
        )
        info = self.describe(folder, temporary=[FILENAME_ARRAYS], excluded=(FILENAME_TRAINING,))
        info.local_copy_list = copies
        return info


class WatchParser(TrajectoryAnalysisParser):
    """Turns what was seen into a node."""

    output = "watch"
    sample_keys = frozenset(WatchSettings.__dataclass_fields__)

    def parse(self, retrieved_temporary_folder: str | None = None, **inputs: Any) -> ExitCode | None:
        """Attach the node, and what it cost."""
        failure = super().parse(retrieved_temporary_folder, **inputs)
        results = self.read_results() if failure is None else None
        if results is not None:
            self.out("cost", orm.Dict(results["cost"]))
        return failure


def write_training_set(path: Path, dataset: orm.ArrayData) -> None:
    """Write the frames of a dataset as the program reads them.

    :raises ValueError: if they are not in this profile, or not those that the dataset was made of.
    """
    frames = dataset_frames(dataset)
    np.savez(
        path,
        numbers=np.concatenate([[atomic_numbers[symbol] for symbol in frame.symbols] for frame in frames]),
        positions=np.concatenate([frame.positions for frame in frames]),
        offsets=np.cumsum([0, *(len(frame.symbols) for frame in frames)]),
        cells=np.array([frame.cell for frame in frames]),
        split=np.array([SPLITS.index(frame.split) for frame in frames]),
        source=np.array([frame.source for frame in frames]),
    )


def validation_spread(report: orm.ArrayData | None, dataset: orm.ArrayData) -> list[float]:
    """Return the mean spread of a committee on each frame of validation, eV/angstrom; nothing without a report."""
    if report is None:
        return []
    split = np.asarray(dataset.get_array("split"))[np.asarray(report.get_array("row"))]
    spread = np.asarray(report.get_array("force_std_mean_eV_A"))
    return [float(value) for value in spread[split == SPLITS.index("validation")]]


def _files(
    node: orm.ArrayData, names: tuple[str, ...], prefix: str, copies: list[tuple[str, str, str]]
) -> dict[str, str]:
    """Return the files of a node's arrays as the program is told of them; the copies that put them there are added."""
    files = {name: f"{prefix}{name}.npy" for name in names}
    copies += [(node.uuid, f"{name}.npy", target) for name, target in files.items()]
    return files


def validate_watch_parameters(value: orm.Dict | None, _: Any) -> str | None:
    """Return what is wrong with the settings; ``None`` if nothing is."""
    try:
        WatchSettings.from_dict(value.get_dict() if value is not None else {})
    except SettingsError as error:
        return str(error)
    return None


def validate_watch_inputs(inputs: Mapping[str, Any], _: Any) -> str | None:
    """Return what does not fit together among run, dataset and committee."""
    trajectories, dataset = inputs.get("trajectories") or {}, inputs.get("dataset")
    problem = validate_trajectories(trajectories)
    if problem is not None or dataset is None:
        return problem
    if run_watch(dataset) is None:
        return "dataset has no closest_pairs_A: give what ion.training_dataset made"
    report = inputs.get("report")
    if report is not None and "force_std_mean_eV_A" not in report.get_arraynames():
        return "report is not that of a committee: give what ion.report_training made of two or more members"
    if report is not None and report.base.attributes.get("dataset_uuid", dataset.uuid) != dataset.uuid:
        return "report is of a training on another dataset"
    unknown = sorted(set(symbols_of_segments(trajectories)) - set(dataset.base.attributes.get("elements")))
    if unknown:
        return f"the run holds {', '.join(unknown)}, which no frame of the dataset has"
    return validate_committee(inputs.get("committee") or {}, trajectories)


def validate_committee(members: Mapping[str, orm.ArrayData], trajectories: Mapping[str, Any]) -> str | None:
    """Return why forces are not those of a committee; ``None`` if they are, or if there is none."""
    if len(members) == 1:
        return "a committee has two or more members: one alone cannot disagree"
    shared = set(trajectories) & set(members)
    if shared:
        return f"trajectories and committee both have the name {min(shared)}: choose others"
    for key, node in members.items():
        missing = [name for name in MEMBER_ARRAYS if name not in node.get_arraynames()]
        if missing:
            return f"{key} has no {', '.join(missing)}: give the output `forces` of ion.forces or ion.lammps_forces"
    return None
