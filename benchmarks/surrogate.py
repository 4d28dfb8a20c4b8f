"""Time the surrogate: training of each protocol, and predictions beside the MD that they stand for.

    python benchmarks/surrogate.py --materials 200 --samplings 20

Materials are synthetic crystals on springs of 64 atoms, as the tests have them: what is learnt is of no account here. A
training is timed by a few of its epochs after the first, and multiplied: no second run is needed to know a long one.
Force calls of a prediction are compared with the steps of a label, two runs of 100 ps at 2 fs.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from aiida_ion.surrogate.baselines import force_calls  # noqa: E402
from aiida_ion.surrogate.dataset import Dataset  # noqa: E402
from aiida_ion.surrogate.labels import cheap_labels, clipped_labels  # noqa: E402
from aiida_ion.surrogate.samples import Samples  # noqa: E402
from aiida_ion.surrogate.settings import PROTOCOLS  # noqa: E402
from aiida_ion.surrogate.training import Task, Training  # noqa: E402
from benchmarks.synthetic.springs import synthetic_dataset  # noqa: E402

LABEL_STEPS = 2 * 50_000
N_FOLDS = 5
EPOCHS = 4


def main() -> None:
    arguments = parse()
    import torch

    torch.set_num_threads(arguments.threads)
    dataset = synthetic_dataset(arguments.materials, n_displaced=arguments.samplings, n_frames=40, edge=4)
    print(
        f"{arguments.materials} materials of 64 atoms, {arguments.samplings} samplings, {arguments.threads} threads\n"
    )
    print(
        "| protocol | parameters | s an epoch | training, min | all folds, min | ms a prediction | calls | of the MD |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for protocol in arguments.protocols:
        print(measure(protocol, dataset), flush=True)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--materials", type=int, default=200)
    parser.add_argument("--samplings", type=int, default=20)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--protocols", nargs="+", default=list(PROTOCOLS), choices=list(PROTOCOLS))
    return parser.parse_args()


def measure(protocol: str, dataset: Dataset) -> str:
    """Return one row of the table."""
    settings = PROTOCOLS[protocol]
    samples = Samples(dataset, settings)
    index = np.arange(len(dataset))
    task = Task(
        clipped_labels(dataset, settings.clip_log10),
        dataset["censored"],
        cheap_labels(dataset),
        index[index % N_FOLDS > 0],
        index[index % N_FOLDS == 0],
        seed=1,
    )
    for material in index:  # graphs are made once, whatever the number of epochs
        samples.batch([int(one) for one in samples.frames[material]])
    training = Training(samples, task)
    training.n_epochs = EPOCHS
    times = [time.perf_counter()]
    member = training.run(lambda _: times.append(time.perf_counter()))
    epoch_s = statistics.median(np.diff(times[1:-1]))  # not the first, and not the one that ends with a look
    start = time.perf_counter()
    fresh = Samples(dataset, settings)
    member.predicted(fresh, index[: len(index) // 4])
    prediction_ms = 1000 * (time.perf_counter() - start) / (len(index) // 4)
    minutes = epoch_s * (settings.n_epochs + settings.pretraining_epochs) / 60
    n_parameters = sum(one.numel() for one in member.network.parameters())
    calls = force_calls(dataset, settings)
    cells = [protocol, n_parameters, f"{epoch_s:.2f}", f"{minutes:.1f}", f"{N_FOLDS * minutes:.1f}"]
    cells += [f"{prediction_ms:.0f}", calls, f"1/{LABEL_STEPS // calls:,}"]
    return f"| {' | '.join(map(str, cells))} |"


if __name__ == "__main__":
    main()
