"""Which detector tells that a trained potential is wrong? Each beside the true force error, on labelled frames.

    python benchmarks/uncertainty.py --engines .engines --families pod allegro

SevenNet-0 labels three runs of its own of Li2O: cold ones for training and validation, a hot one for the test. A
committee of each family is trained on the cold run alone. Of every validation and test frame the detectors are
compared with the mean force error of the first member: rank correlation over all frames and within the hot ones, how
well they tell hot from cold (area under the ROC curve), and the share of hot frames beyond the bound that the watch of
runs would draw from the validation block alone.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ase.build import bulk
from numpy.typing import NDArray

PROFILE = "ion-uncertainty"
BIN = Path(sys.executable).parent
#: The parts of the dataset, and which temperature each is of.
ROLES = {"train": "cold", "validation": "cold", "test": "hot"}


@dataclass(frozen=True)
class Evaluated:
    """What is known of the n frames that were not trained on.

    :param error_eV_A: mean length of the force errors of the first member, shape (n,).
    :param is_hot: whether a frame is of the test, shape (n,).
    :param detectors: a value for each frame, larger where it is less trusted, shape (n,).
    """

    error_eV_A: NDArray[np.float64]
    is_hot: NDArray[np.bool_]
    detectors: Mapping[str, NDArray[np.float64]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--engines", type=Path, default=Path(".engines"), help="folder of the environments")
    parser.add_argument("--families", nargs="+", choices=["pod", "allegro", "mace", "sevenn"], default=["pod"])
    parser.add_argument("--cold-K", type=float, default=600.0)
    parser.add_argument("--hot-K", type=float, default=1500.0)
    parser.add_argument("--n-steps", type=int, default=400, help="steps of the cold training run; half for the others")
    parser.add_argument("--members", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=40, help="of families other than POD")
    parser.add_argument("--folder", type=Path, help="keep the profile here")
    given = parser.parse_args()
    os.environ["AIIDA_ION_ENGINES"] = str(given.engines.absolute())
    with tempfile.TemporaryDirectory() as folder:
        os.environ["AIIDA_PATH"] = str((given.folder or Path(folder)).absolute())
        subprocess.run([str(BIN / "aiida-ion"), "setup", "--profile-name", PROFILE], check=True)
        from aiida import load_profile

        load_profile(PROFILE)
        dataset = labelled(given)
        tables = [(family, rows_of(evaluated(dataset, train(dataset, family, given)))) for family in given.families]
    print("\n| family | detector | Spearman, all | Spearman, hot | AUC hot/cold | hot frames beyond the bound |")
    print("|---|---|---|---|---|---|")
    for family, rows in tables:
        print("\n".join(f"| {family} | {row}" for row in rows))


def labelled(given: Any) -> Any:
    """Return the dataset of three runs of SevenNet-0."""
    from aiida import orm
    from aiida.engine import run_get_node
    from aiida.plugins import WorkflowFactory

    from aiida_ion.campaigns.training.make import make_dataset
    from aiida_ion.campaigns.training.stored import SourceNodes
    from aiida_ion.engines.engine import load_engine
    from aiida_ion.engines.jobs import engine_choices

    teacher = load_engine("sevenn")
    cell = orm.StructureData(ase=bulk("OLi2", "fluorite", a=4.66, cubic=True))
    engine = teacher.md.engine_inputs(cell, None, **engine_choices(teacher))
    sources = []
    for seed, (role, name) in enumerate(ROLES.items(), start=1):
        settings = {
            "temperature_K": given.cold_K if name == "cold" else given.hot_K,
            "timestep_fs": 2.0,
            "n_steps": given.n_steps if role == "train" else given.n_steps // 2,
            "sample_every": 5,
            "seed": seed,
            "keep": ["forces"],
        }
        inputs = {"structure": cell, "parameters": orm.Dict(settings), "engine": engine}
        node = run_get_node(WorkflowFactory(teacher.entry_point), **inputs)[1]
        if not node.is_finished_ok:
            raise SystemExit(f"the run for {role} failed: {node.exit_message}")
        outputs = node.outputs
        sources += [SourceNodes(outputs.trajectories[key], outputs.thermo[key]) for key in outputs.trajectories]
    keys = [f"trajectory_{number:03d}" for number in range(len(sources))]
    return make_dataset(sources, {"split": "given", "splits": dict(zip(keys, ROLES, strict=True)), "stride_fs": 20.0})


def train(dataset: Any, family: str, given: Any) -> dict[str, Any]:
    """Return the report of each member of a committee, and print the errors."""
    from aiida import orm
    from aiida.engine import run_get_node
    from aiida.plugins import WorkflowFactory

    from aiida_ion.campaigns.training.student import training_engine
    from aiida_ion.engines.parents import training_code
    from aiida_ion.training.families import FAMILIES

    if family == "pod":
        code, job, parameters = training_engine("lammps").code, "ion.lammps_train", {"seed": 1}
    else:
        code, job = training_code(FAMILIES[family].environment), "ion.train"
        parameters = {"family": family, "protocol": "student", "seed": 1, "settings": {"n_epochs": given.epochs}}
    inputs = {"code": code, "dataset": dataset, "parameters": orm.Dict(parameters), "entry_point": orm.Str(job)}
    node = run_get_node(WorkflowFactory("ion.training"), **inputs, n_members=orm.Int(given.members))[1]
    if not node.is_finished_ok:
        raise SystemExit(f"the training of {family} failed: {node.exit_message}")
    committee = node.outputs.report.base.attributes.get("committee")
    errors = node.outputs.reports.member_1.base.attributes.get("errors")
    for split in ROLES:
        force, said = errors[split]["forces"], committee[split]
        print(
            f"{family}, {split}, {said['n_frames']} frames: MAE {force['mae_eV_A']:.3f} eV/angstrom, slope "
            f"{force['slope']:.3f}; committee {said['force_std_mean_eV_A']:.3f}, error over spread "
            f"{said['error_per_std']:.2f}",
            flush=True,
        )
    return {"member": node.outputs.reports.member_1, "committee": node.outputs.report}


def evaluated(dataset: Any, reports: Mapping[str, Any]) -> Evaluated:
    """Return errors and detectors of the frames of validation and test."""
    from aiida_ion.calculations.training.frames import dataset_frames
    from aiida_ion.training.environments import Environments
    from aiida_ion.training.watch import closest_pairs_of_frames, pair_bounds

    frames, member, committee = dataset_frames(dataset), reports["member"], reports["committee"]
    train_frames = [frame for frame in frames if frame.split == "train"]
    known = Environments([(frame.symbols, frame.positions, frame.cell) for frame in train_frames])
    bounds = pair_bounds(dataset.base.attributes.get("closest_pairs_A"), 0.0)
    pairs = sorted(bounds)
    rows, offsets = member.get_array("row"), member.get_array("offsets")
    difference = member.get_array("predicted_forces") - member.get_array("reference_forces")
    lengths = np.linalg.norm(difference, axis=1)
    columns: dict[str, list[float]] = defaultdict(list)
    for place, row in enumerate(rows):
        frame, atoms = frames[row], slice(offsets[place], offsets[place + 1])
        if frame.split == "train":
            continue
        closest = closest_pairs_of_frames(frame.positions[None], frame.cell[None], frame.symbols, pairs, 6.0)[0]
        away = known.distances(frame.symbols, frame.positions, frame.cell)
        for name, value in {
            "error": lengths[atoms].mean(),
            "hot": frame.split == "test",
            "spread": committee.get_array("force_std_mean_eV_A")[place],
            "spread max": committee.get_array("force_std_max_eV_A")[place],
            "pair": max(bounds[pair] - distance for pair, distance in zip(pairs, closest, strict=True)),
            "distance": away.mean(),
            "distance max": away.max(),
            "force": np.linalg.norm(member.get_array("predicted_forces")[atoms], axis=1).max(),
        }.items():
            columns[name].append(float(value))
    arrays = {name: np.array(values) for name, values in columns.items()}
    return Evaluated(
        arrays["error"],
        arrays["hot"].astype(bool),
        {
            "committee spread, mean over atoms": arrays["spread"],
            "committee spread, largest": arrays["spread max"],
            "distance of environments, mean over atoms": arrays["distance"],
            "distance of environments, largest": arrays["distance max"],
            "closest pair below that of training": arrays["pair"],
            "largest force": arrays["force"],
        },
    )


def rows_of(frames: Evaluated) -> list[str]:
    """Return each detector as the end of a row of a Markdown table."""
    from scipy.stats import spearmanr
    from sklearn.metrics import roc_auc_score

    from aiida_ion.training.bounds import upper_level

    hot, lines = frames.is_hot, []
    for name, values in frames.detectors.items():
        bound = upper_level(values[~hot])
        cells = (
            f"{spearmanr(values, frames.error_eV_A).statistic:.2f}",
            f"{spearmanr(values[hot], frames.error_eV_A[hot]).statistic:.2f}",
            f"{roc_auc_score(hot, values):.2f}",
            f"{(values[hot] > bound).mean():.0%}",
        )
        lines.append(f"{name} | {' | '.join(cells)} |")
    return lines


if __name__ == "__main__":
    main()
