"""``ion.watch``: whether the frames of a run leave those that its potential was trained on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from aiida import orm
from aiida.common import datastructures, folders
from aiida.engine import ExitCode

from aiida_ion.calculations.chosen_frames import validate_trajectories
from aiida_ion.calculations.cleaning import CleaningCalculation
from aiida_ion.calculations.script import FILENAME_INPUTS, define_ledger, write_json
from aiida_ion.calculations.trajectory_analysis import FILENAME_ARRAYS, TrajectoryAnalysisParser, symbols_of_segments
from aiida_ion.settings.schema import Settings, number, summary
from aiida_ion.settings.values import SettingsError

SEGMENT_ARRAYS = ("positions", "cells", "steps")
MEMBER_ARRAYS = ("forces", "segment", "frames")


@dataclass(frozen=True)
class WatchSettings(Settings):
    """When a frame is flagged."""

    what: ClassVar[str] = "watch setting"

    pair_margin_A: float = number(
        0.1, help="How far below the closest pair of the training frames a frame may come", least=0.0, unit="angstrom"
    )
    committee_bound_eV_A: float | None = number(
        None,
        help="Mean spread of the committee's forces above which a frame is flagged; from the validation of the same "
        "training",
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
            help="What its potential was trained on: `closest_pairs_A` of its training frames is the bound.",
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
            "atoms), `segment`, `frame`, `steps`; attributes `pairs`, `bounds_A`, `n_flagged` and `flagged`.",
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
        members = sorted((self.inputs.get("committee") or {}).items())
        write_json(
            folder,
            FILENAME_INPUTS,
            {
                "segments": segments,
                "symbols": symbols_of_segments(self.inputs.trajectories),
                "closest_pairs_A": self.inputs.dataset.base.attributes.get("closest_pairs_A"),
                "committee": [_files(node, MEMBER_ARRAYS, f"{key}_", copies) for key, node in members],
                "settings": WatchSettings.from_dict(self.inputs.parameters.get_dict()).to_dict(),
            },
        )
        info = self.describe(folder, temporary=[FILENAME_ARRAYS])
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
    bounds = dataset.base.attributes.get("closest_pairs_A", None)
    if not bounds:
        return "dataset has no closest_pairs_A: give what ion.training_dataset made"
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
