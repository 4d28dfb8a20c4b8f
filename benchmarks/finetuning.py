"""SevenNet-0 fine-tuned on DFT frames of a hot run, tested on a colder one: force errors and slopes before and after.

    python benchmarks/finetuning.py 1200K.extxyz.xz 600K.extxyz.xz --temperatures-K 1200 600 --timestep-fs 2 \\
        --sample-every 10 --level-of-theory 'VASP PBE' --max-frames 40 --epochs 3

The first file is split into blocks, for training, validation and test; every later one is for the test alone.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

PROFILE = "ion-finetuning"
BIN = Path(sys.executable).parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("files", nargs="+", type=Path, help="labelled frames: the run to train on, then those to test")
    parser.add_argument("--temperatures-K", nargs="+", type=float, required=True, help="of each file")
    parser.add_argument("--timestep-fs", type=float, required=True)
    parser.add_argument("--sample-every", type=int, required=True, help="steps between two frames of a file")
    parser.add_argument("--level-of-theory", required=True)
    parser.add_argument("--max-frames", type=int, default=60, help="of training, validation and test together")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--settings", type=json.loads, default={}, help="other settings of the training, JSON")
    parser.add_argument("--engines", type=Path, default=Path(".engines"), help="folder of the environments")
    parser.add_argument("--folder", type=Path, help="keep the profile here")
    given = parser.parse_args()
    os.environ["AIIDA_ION_ENGINES"] = str(given.engines.absolute())
    with tempfile.TemporaryDirectory() as folder:
        os.environ["AIIDA_PATH"] = str((given.folder or Path(folder)).absolute())
        run = [str(BIN / "aiida-ion")]
        subprocess.run([*run, "setup", "--profile-name", PROFILE], check=True)
        dataset = stored(given)
        settings = json.dumps({"n_epochs": given.epochs, "batch_size": 1} | given.settings)
        command = ["potential", "train", str(dataset), "--family", "sevenn", "--from", "sevenn", "--settings", settings]
        subprocess.run([*run, *command, "--wait", "-p", PROFILE], check=True)
        print("\n".join(rows()))
        subprocess.run([str(BIN / "verdi"), "-p", PROFILE, "daemon", "stop"], check=False, capture_output=True)


def stored(given: Any) -> int:
    """Store the files and their dataset, and return its pk."""
    from aiida import load_profile

    from aiida_ion.campaigns.training.files import store_file
    from aiida_ion.campaigns.training.make import make_dataset
    from aiida_ion.training.settings import DatasetSettings

    load_profile(PROFILE)
    sources, splits = [], {}
    facts = {name: getattr(given, name) for name in ("timestep_fs", "sample_every", "level_of_theory")}
    for path, temperature_K in zip(given.files, given.temperatures_K, strict=True):
        file = store_file(path, facts | {"target_temperature_K": temperature_K}, independent=False, file_format=None)
        splits[f"trajectory_{len(sources):03d}"] = "test" if sources else "by_block"
        sources += file.sources
    settings = {"split": "given", "splits": splits, "max_frames": given.max_frames}
    DatasetSettings.from_dict(dict(settings))
    dataset = make_dataset(sources, settings)
    counts = {name: dataset.base.attributes.get(f"n_{name}") for name in ("train", "validation", "test")}
    print(f"frames: {counts}, left out {dataset.base.attributes.get('refused', {})}", flush=True)
    return int(dataset.pk)


def rows() -> list[str]:
    """Return the errors of the test, by temperature, before and after, as a Markdown table, and the cost."""
    from aiida import orm

    query = orm.QueryBuilder().append(orm.CalcJobNode, filters={"process_type": "aiida.calculations:ion.train"})
    job = query.first(flat=True)
    about, cost = job.outputs.report.base.attributes.all, job.outputs.cost.get_dict()
    columns = "test frames", "MAE before", "MAE after", "ratio", "slope before", "slope after"
    lines = [f"| {' | '.join(columns)} |", "|---|---|---|---|---|---|"]
    before, after = (about[name]["test"]["by_temperature"] for name in ("errors_of_parent", "errors"))
    for temperature in sorted(after, key=float):
        old, new = (errors[temperature]["forces"] for errors in (before, after))
        cells = (
            f"{float(temperature):g} K",
            *(f"{errors['mae_eV_A']:.3f}" for errors in (old, new)),
            f"{new['mae_eV_A'] / old['mae_eV_A']:.2f}",
            *(f"{errors['slope']:.3f}" for errors in (old, new)),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return [*lines, f"{cost['cpu_time_s']:.0f} CPU s, {about['n_epochs']} epochs"]


if __name__ == "__main__":
    main()
