"""A synthetic surrogate: a dataset, its training with model and report, and predictions, as the real jobs leave them.

python benchmarks/synthetic/surrogate.py --profile scratch
"""

from __future__ import annotations

import argparse
import io
from typing import Any

import numpy as np
from aiida import load_profile, orm
from aiida.common.links import LinkType

TRAIN, PREDICT = "aiida.calculations:ion.surrogate_train", "aiida.calculations:ion.surrogate_predict"
#: Arm -> kind and R2, as a training that learnt something would have them.
ARMS = {
    "model": ("model", 0.62),
    "random_vectors": ("control", 0.31),
    "shuffled_accelerations": ("control", 0.24),
    "no_accelerations": ("ablation", 0.35),
    "species": ("baseline", 0.28),
    "mean": ("baseline", -0.04),
    "composition_forest": ("baseline", 0.33),
    "short_md_slope": ("baseline", 0.41),
}
SYSTEMS = ("Li-O", "Li-S", "Li-Cl", "Li-N", "Li-O-P", "Li-P-S", "Na-S")
N_FOLDS, N_EPOCHS = 5, 40


def store_training(
    n_materials: int = 60, seed: int = 1, learnt: bool = True, text: str = "", state: dict[str, Any] | None = None
) -> orm.CalcJobNode:
    """Store a finished training with its dataset, model and report, and one job of predictions; return the training.

    Materials lead to the diffusion nodes of the profile as far as it has any.

    :param learnt: whether the model beats its controls.
    :param text: in front of every formula, system and name of an arm: for text that is hostile.
    :param state: attributes of the job in place of those of a finished one; it has no outputs then.
    """
    draw = np.random.default_rng(seed)
    materials = _materials(n_materials, draw, text)
    identity: dict[str, Any] = {
        "temperature_K": 1000.0,
        "mobile_species": ["Li"],
        "levels_of_theory": [f"{text}PBE"],
        "n_materials": n_materials,
    }
    dataset = orm.ArrayData({"log10_slope": np.zeros(n_materials)})
    dataset.base.attributes.set_many(identity | {"materials": materials})
    dataset.store()
    job = _job(TRAIN, {"dataset": dataset}, state)
    if state is None:
        report = orm.ArrayData(_arrays(n_materials, draw))
        report.base.attributes.set_many(
            identity | _numbers(n_materials, learnt, text) | {"dataset_uuid": dataset.uuid, "materials": materials}
        )
        model = orm.SinglefileData(io.BytesIO(b"\x02\x00\x00\x00\x00\x00\x00\x00{}"), filename="model.safetensors")
        _output(job, report, "report")
        _output(job, model, "model")
        _store_predictions(model, materials[: n_materials // 2], draw)
    job.seal()
    return job


def _job(process_type: str, inputs: dict[str, orm.Data], state: dict[str, Any] | None) -> orm.CalcJobNode:
    job = orm.CalcJobNode(process_type=process_type)
    job.computer = _computer()
    for label, node in inputs.items():
        job.base.links.add_incoming(node, LinkType.INPUT_CALC, label)
    job.base.attributes.set_many(state or {"process_state": "finished", "exit_status": 0})
    return job.store()


def _computer() -> orm.Computer:
    query = orm.QueryBuilder().append(orm.Computer).first(flat=True)
    return query or orm.Computer("synthetic", "localhost", "", "core.local", "core.direct").store()


def _output(job: orm.CalcJobNode, node: orm.Data, label: str) -> None:
    node.base.links.add_incoming(job, LinkType.CREATE, label)
    node.store()


def _materials(n: int, draw: np.random.Generator, text: str) -> list[dict[str, Any]]:
    query = orm.QueryBuilder().append(orm.CalcJobNode, filters={"process_type": {"like": "%ion.diffusion"}}, tag="job")
    query.append(orm.ArrayData, with_incoming="job", edge_filters={"label": "diffusion"}, project=["uuid"])
    uuids = query.all(flat=True) or [orm.ArrayData({"msd": np.zeros(1)}).store().uuid]
    systems = draw.choice(SYSTEMS, n)
    return [
        {
            "formula": f"{text}{system.replace('-', f'{place % 7 + 2}')}",
            "chemical_system": f"{text}{system}",
            "prototype": f"AB2 {place % 5 + 221}",
            "level_of_theory": f"{text}PBE",
            "structure_uuid": uuids[place % len(uuids)],
            "diffusion_uuid": uuids[place % len(uuids)],
            "label_steps": 100_000,
            "label_wall_s": float(draw.uniform(3e3, 6e4)),
        }
        for place, system in enumerate(systems)
    ]


def _arrays(n: int, draw: np.random.Generator) -> dict[str, Any]:
    true = draw.uniform(-3.5, 0.5, n)
    predicted = 0.6 * true + draw.normal(-0.6, 0.5, n)
    epochs = np.arange(1, N_EPOCHS + 1)
    falling = np.exp(-epochs / 12.0) + 0.2
    noise = draw.normal(0.0, 0.03, (3, N_FOLDS, N_EPOCHS))
    return {
        "epochs": epochs.astype(float),
        "train_loss": falling + np.abs(noise[0]),
        "validation_loss": 1.3 * falling + np.abs(noise[1]),
        "validation_r2": 0.65 - 0.8 * np.exp(-epochs / 10.0) + noise[2],
        "true": true,
        "censored": true < -2.8,
        "predicted": predicted,
        "predicted_std": np.full(n, 0.2),
        "interval95": np.stack([predicted - 1.1, predicted + 1.1], axis=1),
        "fold": np.arange(n) % N_FOLDS,
        "arm_predictions": predicted + draw.normal(0.0, 0.2, (len(ARMS), n)),
    }


def _numbers(n: int, learnt: bool, text: str) -> dict[str, Any]:
    best = 0.41 if learnt else 0.60
    arms = []
    for name, (kind, r2) in ARMS.items():
        given = best if name == "short_md_slope" else r2
        one: dict[str, Any] = {"arm": f"{text}{name}", "kind": kind, "r2": given, "r2_clip_1e-2": given - 0.05}
        one |= {"r2_clip_1e-4": given - 0.1, "r2_detected": given - 0.2, "r2_std": 0.04 if kind != "baseline" else None}
        one |= {"mae_dex": 0.9 - 0.6 * given, "spearman": 0.5 + given / 2, "auc": 0.8, "seconds": 120.0}
        if kind != "model":
            one |= {"gap": 0.62 - given, "gap_ci95": [0.62 - given - 0.1, 0.62 - given + 0.1]}
        arms.append(one)
    message = "it beats all its controls" if learnt else "it does not beat short md slope significantly"
    return {
        "protocol": "baseline",
        "split": "material",
        "seed": 1,
        "settings": {"clip_log10": -2.0, "n_epochs": N_EPOCHS},
        "r2": 0.62,
        "r2_std": 0.04,
        "r2_clip_1e-2": 0.57,
        "r2_clip_1e-4": 0.52,
        "mae_dex": 0.53,
        "spearman": 0.81,
        "noise_ceiling_r2_clip_1e-2": 0.93,
        "noise_ceiling_r2_clip_1e-4": 0.88,
        "coverage95": 0.94,
        "conformal_halfwidth_dex": 1.1,
        "beats_controls": learnt,
        "n_censored": n // 7,
        "arms": arms,
        "verdict": f"{text}R2 0.62 on held-out materials (split: material); {message}.",
    }


def _store_predictions(model: orm.SinglefileData, materials: list[dict[str, Any]], draw: np.random.Generator) -> None:
    job = _job(PREDICT, {"model": model}, None)
    text = [
        {
            "formula": one["formula"],
            "structure_uuid": one["structure_uuid"],
            "log10_slope": float(draw.uniform(-3, 0)),
            "in_domain": bool(place % 5),
            "seconds_forces": float(draw.uniform(2, 9)),
            "seconds_model": float(draw.uniform(0.1, 0.4)),
        }
        for place, one in enumerate(materials)
    ]
    predictions = orm.ArrayData({"log10_slope": np.array([one["log10_slope"] for one in text])})
    predictions.base.attributes.set("materials", text)
    _output(job, predictions, "predictions")
    job.seal()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--profile", required=True, help="the profile that gets two trainings")
    load_profile(parser.parse_args().profile, allow_switch=True)
    store_training(seed=1)
    store_training(n_materials=24, seed=2, learnt=False)


if __name__ == "__main__":
    main()
