"""Synthetic trained potentials: dataset, training, student, runs and what was watched, as the real jobs leave them.

python benchmarks/synthetic/training.py --profile scratch
"""

from __future__ import annotations

import argparse
import hashlib
import io
from typing import Any

import numpy as np
from aiida import load_profile, orm
from aiida.common.links import LinkType

LEVEL = "QE PBEsol"
SYMBOLS = ["Li"] * 8 + ["O"] * 4
N_FRAMES, N_EPOCHS = 10, 12
PARENT_SHA256 = hashlib.sha256(b"parent").hexdigest()
TRAIN, FIT = "aiida.calculations:ion.train", "aiida.calculations:ion.lammps_train"
MD = {TRAIN: "aiida.calculations:ion.mlip_md", FIT: "aiida.calculations:ion.lammps_md"}


def store_dataset(draw: np.random.Generator, text: str = "") -> orm.ArrayData:
    """Store a dataset of frames of two runs, at 600 and 1500 K: the hot one is the test."""
    runs = [_trajectory(draw, N_FRAMES).store() for _ in range(2)]
    n = 2 * N_FRAMES
    split = np.array([0] * (N_FRAMES - 3) + [1] * 3 + [2] * N_FRAMES, dtype=np.int8)
    source = np.repeat([0, 1], N_FRAMES)
    node = orm.ArrayData({"source": source, "frame": np.arange(n) % N_FRAMES, "step": np.arange(n), "split": split})
    node.base.attributes.set_many(
        {
            "sources": [
                {"trajectory": run.uuid, "thermo": None, "labels": None, "run": i, "temperature_K": (600.0, 1500.0)[i]}
                for i, run in enumerate(runs)
            ],
            "n_train": N_FRAMES - 3,
            "n_validation": 3,
            "n_test": N_FRAMES,
            "elements": ["Li", "O"],
            "compositions": [{"Li": 8, "O": 4}],
            "temperatures_K": [600.0, 1500.0],
            "level_of_theory": f"{text}{LEVEL}",
            "split_rule": "by_run",
            "sha256": "0" * 64,
            "closest_pairs_A": {"Li-Li": 1.9, "Li-O": 1.7, "O-O": 2.5},
        }
    )
    maker = orm.CalcFunctionNode(process_type="aiida.calculations:ion.training_dataset")
    for i, run in enumerate(runs):
        maker.base.links.add_incoming(run, LinkType.INPUT_CALC, f"trajectory_{i:03d}")
    maker.set_process_state("finished")
    maker.set_exit_status(0)
    _output(maker.store(), node, "result")
    maker.seal()
    return node


def store_potential(
    kind: str = TRAIN,
    seed: int = 1,
    text: str = "",
    state: dict[str, Any] | None = None,
    dataset: orm.ArrayData | None = None,
    caller: orm.WorkChainNode | None = None,
    member: str = "member_1",
) -> Any:
    """Store a training of a potential; return its job.

    :param kind: process type of the job; one of LAMMPS has no parent, and two files.
    :param text: in front of every text that a page shows.
    :param state: attributes of the job in place of those of a finished one; it has no outputs then.
    :param caller: work chain that called it.
    """
    draw = np.random.default_rng(seed)
    dataset = dataset or store_dataset(draw, text)
    job = orm.CalcJobNode(process_type=kind, computer=_computer())
    job.base.links.add_incoming(dataset, LinkType.INPUT_CALC, "dataset")
    if caller is not None:
        job.base.links.add_incoming(caller, LinkType.CALL_CALC, member)
    job.base.attributes.set_many(state or {"process_state": "finished", "exit_status": 0})
    job.store()
    if state is None:
        content = f"potential {seed} {kind}".encode()
        about = _facts(dataset, kind, seed, text, hashlib.sha256(content).hexdigest())
        label = "potential" if kind == TRAIN else "files__coeff"
        potential = orm.SinglefileData(io.BytesIO(content), filename="potential.bin")
        potential.base.attributes.set_many(about)
        _output(job, potential, label)
        if kind == FIT:
            _output(job, orm.SinglefileData(io.BytesIO(b"rcut 5"), filename="param.pod"), "files__param")
        _output(job, _report(draw, dataset, kind, about, text), "report")
        _output(job, orm.Dict({"cpu_time_s": 90.0 + seed, "wall_time_s": 100.0}), "cost")
    job.seal()
    return job


def _facts(dataset: orm.ArrayData, kind: str, seed: int, text: str, sha256: str) -> dict[str, Any]:
    family = "sevenn" if kind == TRAIN else "POD"
    return {
        "family": f"{text}{family}",
        "protocol": "finetune" if kind == TRAIN else "student",
        "seed": seed,
        "sha256": sha256,
        "level_of_theory": f"{text}{LEVEL} by {family}",
        "elements": ["Li", "O"],
        "parent_sha256": PARENT_SHA256 if kind == TRAIN else None,
        "single_composition": True,
        "compositions": [{"Li": 8, "O": 4}],
        "dataset_uuid": dataset.uuid,
        "dataset_sha256": "0" * 64,
    }


def _report(
    draw: np.random.Generator, dataset: orm.ArrayData, kind: str, about: dict[str, Any], text: str
) -> orm.ArrayData:
    """Return a report: forces of a parent that is too soft, and of a potential that is not."""
    n, n_atoms = 2 * N_FRAMES, len(SYMBOLS)
    reference = draw.normal(0.0, 1.0, (n * n_atoms, 3))
    predicted = reference + draw.normal(0.0, 0.04, reference.shape)
    parent = 0.85 * reference + draw.normal(0.0, 0.06, reference.shape)
    falling = 0.05 + 0.4 * np.exp(-np.arange(N_EPOCHS) / 3.0)
    node = orm.ArrayData(
        {
            "epoch": np.arange(1, N_EPOCHS + 1),
            "train_force_rmse_eV_A": falling,
            "validation_force_rmse_eV_A": 1.2 * falling,
            "reference_forces": reference,
            "predicted_forces": predicted,
            "reference_energies": np.zeros(n),
            "predicted_energies": np.zeros(n),
            "offsets": np.arange(n + 1) * n_atoms,
            "row": np.arange(n),
        }
    )
    names = ("elements", "compositions", "single_composition", "dataset_uuid", "dataset_sha256", "sha256")
    attributes = {name: about[name] for name in (*names, "family", "protocol", "seed")}
    attributes |= {"n_weights": 842_440.0, "n_epochs": N_EPOCHS, "stop_reason": "all epochs", "errors": {}}
    split = np.repeat(dataset.get_array("split"), n_atoms)
    attributes["errors"] = _errors(reference, predicted, split)
    if kind == TRAIN:
        node.set_array("parent_forces", parent)
        attributes["parent"] = {"name": f"{text}SevenNet-0", "sha256": PARENT_SHA256}
        attributes["errors_of_parent"] = _errors(reference, parent, split)
    node.base.attributes.set_many(attributes)
    return node


def _errors(reference: Any, predicted: Any, split: Any) -> dict[str, Any]:
    result = {}
    for number, name in enumerate(("train", "validation", "test")):
        x, y = reference[split == number], predicted[split == number]
        forces = {
            "mae_eV_A": float(np.abs(y - x).mean()),
            "rmse_eV_A": float(np.sqrt(((y - x) ** 2).mean())),
            "slope": float((x * y).sum() / (x**2).sum()),
        }
        energies = {"mae_eV_atom": 0.002, "rmse_eV_atom": 0.003, "offset_eV_atom": 0.0}
        result[name] = {
            "n_frames": int((split == number).sum()) // len(SYMBOLS),
            "forces": forces,
            "energies": energies,
        }
    return result


def store_student(seed: int = 5, accepted: bool = True, text: str = "") -> Any:
    """Store a student of two trainings: the first one's run ends with a close pair; return its work chain."""
    chain = orm.WorkChainNode(process_type="aiida.workflows:ion.student")
    chain.set_process_state("finished")
    chain.set_exit_status(0 if accepted else 713)
    chain.store()
    first = store_potential(FIT, seed, text, caller=chain, member="training_1")
    last = store_potential(FIT, seed + 1, text, caller=chain, member="training_2")
    parameters = orm.Dict({"text": "of the loops"}).store()
    maker = orm.CalcFunctionNode(process_type="aiida.calculations:ion.student_report")
    maker.base.links.add_incoming(parameters, LinkType.INPUT_CALC, "parameters")
    report = orm.ArrayData({"train_frames": np.array([40, 60])})
    history = [_loop(1, "explore", first.pk, text), _loop(2, "accept", last.pk, text)]
    outcome = "accepted" if accepted else "out_of_loops"
    error = {"mobile_species": "Li", "temperature_K": 1200.0, "teacher_ps": 6.0, "agrees": True, "reason": None}
    error |= {"tracer_diffusivity_ratio": 0.9, "tracer_diffusivity_ratio_ci95": [0.6, 1.3]}
    about = {"training_uuid": last.outputs.report.uuid, "model_error": error}
    report.base.attributes.set_many({"history": history, "outcome": outcome, "cpu_time_s": 7200.0} | about)
    _output(maker.store(), report, "result")
    maker.seal()
    for label, node in (
        *(("dataset", last.inputs.dataset), ("training", last.outputs.report), ("report", report)),
        *((f"potential__{name}", last.outputs.files[name]) for name in ("param", "coeff")),
    ):
        node.base.links.add_incoming(chain, LinkType.RETURN, label)
    chain.seal()
    return chain


def store_committee(seed: int = 30, text: str = "") -> Any:
    """Store a committee of two whose spread is half of its error; return its work chain."""
    chain = orm.WorkChainNode(process_type="aiida.workflows:ion.training")
    chain.set_process_state("finished")
    chain.set_exit_status(0)
    chain.store()
    first = store_potential(TRAIN, seed, text, caller=chain, member="member_1")
    dataset = first.inputs.dataset
    second = store_potential(TRAIN, seed + 1, text, dataset=dataset, caller=chain, member="member_2")
    split = np.asarray(dataset.get_array("split"))
    error = 0.05 * (1 + split) * np.random.default_rng(seed).uniform(0.8, 1.2, len(split))
    arrays = {"force_std_mean_eV_A": error / 2, "force_error_mean_eV_A": error, "row": np.arange(len(split))}
    report = orm.ArrayData(arrays)
    ratios = {name: {"error_per_std": 2.0} for name in ("train", "validation", "test")}
    report.base.attributes.set_many({"committee": ratios, "n_members": 2})
    maker = orm.CalcFunctionNode(process_type="aiida.calculations:ion.report_training")
    for number, member in enumerate((first, second), start=1):
        maker.base.links.add_incoming(member.outputs.report, LinkType.INPUT_CALC, f"member_{number}")
    _output(maker.store(), report, "result")
    maker.seal()
    report.base.links.add_incoming(chain, LinkType.RETURN, "report")
    chain.seal()
    return chain


def _loop(number: int, stage: str, pk: int, text: str) -> dict[str, Any]:
    ended = ("close_pair", "survived")[number - 1]
    runs = [{"ended": "survived", "survived_ps": 10.0 * number, "length_ps": 10.0 * number, "seed": 1}]
    runs.append({"ended": ended, "survived_ps": (2.5, 20.0)[number - 1], "length_ps": 10.0 * number, "seed": 2})
    if number == 1:
        runs[1] |= {"pair": f"{text}Li-O", "distance_A": 1.3, "bound_A": 1.6}
    about = {"stage": stage, "training": number, "training_pk": pk, "n_train": 20 + 20 * number, "runs": runs}
    return about | {"force_mae_eV_A": (0.12, 0.08)[number - 1], "target_eV_A": 0.1, "slope": 0.98}


def store_run(job: Any, temperature_K: float = 1000.0, by_hash: bool = False, watched: bool = True) -> Any:
    """Store a run of a trained potential, its fit and what was watched of it; return the job of the run.

    :param job: the training.
    :param by_hash: the run loaded a copy of the file, which only its hash says.
    """
    draw = np.random.default_rng(int(temperature_K))
    fit = job.process_type == FIT
    potential = job.outputs.files.coeff if fit else job.outputs.potential
    run = orm.CalcJobNode(process_type=MD[job.process_type], computer=_computer())
    settings = {"temperature_K": temperature_K, "seed": 1, "timestep_fs": 2.0}
    inputs: dict[str, orm.Data] = {"parameters": orm.Dict(settings)}
    if by_hash:
        inputs["potential"] = orm.Dict({"checkpoint_sha256": potential.base.attributes.get("sha256")})
    else:
        inputs["files__coeff" if fit else "checkpoint"] = potential
    level = potential.base.attributes.get("level_of_theory")
    made = _run(run, inputs, draw, level, 1e-5, temperature_K, job.inputs.dataset if watched else None)
    made.seal()
    return made


def store_other_run(level: str, diffusivity_cm2_s: float, sha256: str | None, temperature_K: float = 1000.0) -> Any:
    """Store a run by another level of theory, and its fit: that of the parent, or of the labels."""
    run = orm.CalcJobNode(process_type=MD[TRAIN], computer=_computer())
    inputs: dict[str, orm.Data] = {"parameters": orm.Dict({"temperature_K": temperature_K})}
    draw = np.random.default_rng(3)
    job = _run(run, inputs, draw, level, diffusivity_cm2_s, temperature_K, None)
    if sha256 is not None:
        _output(job, orm.Dict({"checkpoint": {"name": "parent", "sha256": sha256}}), "versions")
    job.seal()
    return job


def _run(
    run: Any,
    inputs: dict[str, orm.Data],
    draw: np.random.Generator,
    level: str,
    diffusivity_cm2_s: float,
    temperature_K: float,
    dataset: orm.ArrayData | None,
) -> Any:
    for label, node in inputs.items():
        run.base.links.add_incoming(node.store(), LinkType.INPUT_CALC, label)
    run.base.attributes.set_many({"process_state": "finished", "exit_status": 0})
    trajectory = _output(run.store(), _trajectory(draw, 40), "trajectory")
    fit = orm.CalcJobNode(process_type="aiida.calculations:ion.diffusion", computer=_computer())
    fit.base.links.add_incoming(trajectory, LinkType.INPUT_CALC, "trajectories__replica_00_segment_000")
    fit.base.attributes.set_many({"process_state": "finished", "exit_status": 0})
    diffusion = orm.ArrayData({"msd_A2": np.arange(3.0)})
    diffusion.base.attributes.set_many(
        {
            "formula": "Li2O",
            "level_of_theory": level,
            "target_temperature_K": temperature_K,
            "moved": True,
            "verdict": "moved",
            "grade": "B",
            "fit_consistent": True,
            "tracer_diffusivity_cm2_s": diffusivity_cm2_s,
            "tracer_diffusivity_ci95_cm2_s": [0.8 * diffusivity_cm2_s, 1.2 * diffusivity_cm2_s],
        }
    )
    _output(fit.store(), diffusion, "diffusion")
    fit.seal()
    if dataset is not None:
        _store_watch(trajectory, dataset, draw)
    return run


def _store_watch(trajectory: Any, dataset: orm.ArrayData, draw: np.random.Generator) -> None:
    job = orm.CalcJobNode(process_type="aiida.calculations:ion.watch", computer=_computer())
    job.base.links.add_incoming(trajectory, LinkType.INPUT_CALC, "trajectories__segment_000")
    job.base.links.add_incoming(dataset, LinkType.INPUT_CALC, "dataset")
    job.base.attributes.set_many({"process_state": "finished", "exit_status": 0})
    closest = np.array([1.95, 1.75, 2.6]) + np.abs(draw.normal(0.0, 0.05, (40, 3)))
    closest[30, 1] = 1.5
    spread = np.full((40, 2), np.nan)
    spread[::2] = np.abs(draw.normal(0.05, 0.01, (20, 1))) * [[1.0, 3.0]]
    spread[36] = (0.2, 0.7)
    node = orm.ArrayData(
        {
            "closest_A": closest,
            "committee_spread_eV_A": spread,
            "segment": np.zeros(40, dtype=int),
            "frame": np.arange(40),
            "steps": np.arange(40) * 50,
        }
    )
    place = {"segment": 0, "pair": None}
    flagged = [
        place
        | {"frame": 30, "row": 30, "step": 1500, "reason": "closest_pair", "pair": "Li-O", "value": 1.5, "bound": 1.6},
        place | {"frame": 36, "row": 36, "step": 1800, "reason": "committee", "value": 0.2, "bound": 0.1},
    ]
    node.base.attributes.set_many(
        {
            "pairs": ["Li-Li", "Li-O", "O-O"],
            "bounds_A": {"Li-Li": 1.8, "Li-O": 1.6, "O-O": 2.4},
            "n_frames": 40,
            "n_flagged": 2,
            "flagged": flagged,
            "committee_bound_eV_A": 0.1,
        }
    )
    _output(job.store(), node, "watch")
    job.seal()


def _trajectory(draw: np.random.Generator, n_frames: int) -> orm.TrajectoryData:
    node = orm.TrajectoryData()
    positions = draw.uniform(0.0, 4.6, (n_frames, len(SYMBOLS), 3))
    cells = np.broadcast_to(4.6 * np.eye(3), (n_frames, 3, 3)).copy()
    steps = np.arange(n_frames) * 50
    node.set_trajectory(SYMBOLS, positions, stepids=steps, cells=cells, times=steps * 0.002, pbc=(True,) * 3)
    return node


def _computer() -> orm.Computer:
    query = orm.QueryBuilder().append(orm.Computer).first(flat=True)
    return query or orm.Computer("synthetic", "localhost", "", "core.local", "core.direct").store()


def _output(process: Any, node: Any, label: str) -> Any:
    node.base.links.add_incoming(process, LinkType.CREATE, label)
    return node.store()


def fill() -> Any:
    """Store a fine-tuned potential with a run before and after, a student, and a failed training; return the first."""
    job = store_potential()
    for temperature_K in (800.0, 1000.0):
        store_run(job, temperature_K)
        store_other_run("SevenNet-0", 3e-5, PARENT_SHA256, temperature_K)
        store_other_run(LEVEL, 1.1e-5, None, temperature_K)
    store_potential(seed=2, state={"process_state": "finished", "exit_status": 340})
    chain = store_student()
    store_run(chain.called[-1], 900.0)
    return job


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--profile", required=True, help="the profile that gets the potentials")
    load_profile(parser.parse_args().profile, allow_switch=True)
    fill()


if __name__ == "__main__":
    main()
