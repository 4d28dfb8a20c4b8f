"""Fine-tunes CHGNet by its own ``Trainer``: ``python -m aiida_ion.runners.trainers.chgnet_program`` beside its input.

Reads ``config.json``, ``train.extxyz`` and ``validation.extxyz``; writes ``curve.jsonl`` (a line for each epoch) and
``best.pth.tar``, the epoch with the smallest loss on the frames for validation. CHGNet itself prints mean absolute
errors alone, and keeps the epoch that is best in energy or that in force.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from typing import Any

import numpy as np

from aiida_ion.runners.checkpoints import import_module
from aiida_ion.runners.potentials import read_chgnet
from aiida_ion.runners.trainers.base import Counts, Row
from aiida_ion.training.extxyz import read_extxyz
from aiida_ion.units import KBAR_PER_EV_A3

CONFIG, CURVE, BEST = "config.json", "curve.jsonl", "best.pth.tar"


def structure_data(folder: Path, split: str, converter: Any = None) -> Any:
    """Return the labelled graphs of a split, in order.

    CHGNet takes energies per atom, and stresses as VASP prints them: in kbar, positive where the cell is compressed.

    :param converter: makes graphs of structures; CHGNet's default where it is not given.
    """
    structures = import_module("pymatgen.core", "chgnet")
    frames = read_extxyz((folder / f"{split}.extxyz").read_text())
    cells = [
        structures.Structure(each.cell, each.symbols, each.positions, coords_are_cartesian=True) for each in frames
    ]
    stresses = [(-KBAR_PER_EV_A3 * each.stress).tolist() for each in frames if each.stress is not None]
    return import_module("chgnet.data.dataset", "chgnet").StructureData(
        cells,
        [each.energy_eV / len(each.symbols) for each in frames],
        [each.forces.tolist() for each in frames],
        stresses=stresses if len(stresses) == len(frames) else None,
        graph_converter=converter,
        shuffle=False,
    )


def counted(folder: Path, split: str) -> Counts:
    """Return the labels of the graphs of a split; a graph that cannot be made counts as none."""
    data = structure_data(folder, split)
    items = [data[row] for row in range(len(data))]
    targets = [target for row, (_, target) in enumerate(items) if row not in data.failed_idx]
    energies = sum(int(target["e"].isfinite().sum()) for target in targets)
    forces = sum(int(target["f"].isfinite().sum()) for target in targets)
    stresses = sum(bool(target["s"].isfinite().all()) for target in targets if "s" in target)
    return Counts(len(targets), energies, forces, stresses)


def main() -> int:
    """Train to the last epoch."""
    config = json.loads(Path(CONFIG).read_text())
    torch = import_module("torch", "chgnet")
    random.seed(config["seed"])
    torch.manual_seed(config["seed"])
    model = read_chgnet(import_module("chgnet.model.model", "chgnet").CHGNet, Path(config["parent"]))
    if config["last_layers_only"]:
        _freeze(model)
    collate = import_module("chgnet.data.dataset", "chgnet").collate_graphs
    loaders = []
    for split in ("train", "validation"):
        data = structure_data(Path(), split, model.graph_converter)
        options = {"batch_size": config["batch_size"], "shuffle": split == "train", "collate_fn": collate}
        loaders.append(torch.utils.data.DataLoader(data, **options))
    trainer = _recording(loaders[1])(model=model, targets=config["targets"], **config["trainer"])
    trainer.train(*loaders, save_dir="checkpoints")
    return 0


def _freeze(model: Any) -> None:
    """Keep all but the last layers as they are."""
    kept = [model.atom_embedding, model.bond_embedding, model.angle_embedding, model.bond_basis_expansion]
    kept += [model.angle_basis_expansion, model.atom_conv_layers[:-1], model.bond_conv_layers, model.angle_layers]
    for layer in kept:
        for weight in layer.parameters():
            weight.requires_grad = False


def _recording(validation: Any) -> Any:
    """Return CHGNet's trainer, which also writes the learning curve and keeps the epoch with the smallest loss."""

    class RecordingTrainer(import_module("chgnet.trainer", "chgnet").Trainer):  # type: ignore[misc]
        lowest = float("inf")

        def save_checkpoint(self, epoch: int, mae_error: dict[str, float], save_dir: str) -> None:  # noqa: ARG002
            """Write a line of the learning curve, and the weights where they are the best so far."""
            row = {"epoch": epoch + 1.0, "learning_rate": float(self.optimizer.param_groups[0]["lr"])}
            row |= errors_of(self, validation)
            if row["validation_loss"] < self.lowest:
                self.lowest = row["validation_loss"]
                partial = Path(f"{BEST}.partial")
                import_module("torch", "chgnet").save({"model": self.model.as_dict()}, partial)
                partial.replace(BEST)
            with Path(CURVE).open("a") as stream:
                stream.write(json.dumps(row) + "\n")

    return RecordingTrainer


def errors_of(trainer: Any, loader: Any) -> Row:
    """Return loss and root mean squares of the errors of energies per atom and of forces, over frames."""
    trainer.model.eval()
    losses, energies, forces = [], [], []
    for graphs, targets in loader:
        for graph in graphs:
            graph.atom_frac_coord.requires_grad = True
        labels = {name: trainer.move_to(values, trainer.device) for name, values in targets.items()}
        prediction = trainer.model([graph.to(trainer.device) for graph in graphs], task=trainer.targets)
        losses += [float(trainer.criterion(labels, prediction)["loss"].detach())] * len(graphs)
        energies.append((prediction["e"] - labels["e"]).detach().cpu().numpy())
        forces += [
            (ours - theirs).detach().cpu().numpy() for ours, theirs in zip(prediction["f"], labels["f"], strict=True)
        ]
    return {
        "validation_loss": float(np.mean(losses)),
        "validation_energy_rmse_eV_atom": float(np.sqrt(np.mean(np.concatenate(energies) ** 2))),
        "validation_force_rmse_eV_A": float(np.sqrt(np.mean(np.concatenate(forces) ** 2))),
    }


if __name__ == "__main__":
    sys.exit(main())
