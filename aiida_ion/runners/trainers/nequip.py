"""NequIP: ``nequip-train``, then ``nequip-package`` and ``nequip-compile`` for the ASE calculator."""

from __future__ import annotations

import csv
import math
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from aiida_ion.runners.checkpoints import import_module
from aiida_ion.runners.output import RunnerError
from aiida_ion.runners.potentials import Potential
from aiida_ion.runners.trainers.base import SHOWN, Counts, Row
from aiida_ion.runners.trainers.nequip_input import MONITOR, OUTPUT, NequipInput
from aiida_ion.runners.trainers.predictions import predict
from aiida_ion.training.extxyz import write_extxyz
from aiida_ion.training.frames import FloatArray, LabelledFrame

#: Columns of its learning curve -> ours.
COLUMNS = {
    "val0_epoch/forces_rmse": "validation_force_rmse_eV_A",
    "val0_epoch/per_atom_energy_rmse": "validation_energy_rmse_eV_atom",
    MONITOR: "validation_loss",
    "train_metric_epoch/forces_rmse": "train_force_rmse_eV_A",
    "train_metric_epoch/per_atom_energy_rmse": "train_energy_rmse_eV_atom",
    "train_loss_epoch/weighted_sum": "train_loss",
}
SHIFTS = "per_type_energy_scale_shift.shifts"
#: The frame on which the finished model is traced: with three atoms, their number is taken for that of the directions.
EXAMPLE, EXAMPLE_ATOMS = "example.extxyz", 16
PACKAGE = Path("potential.nequip.zip")


class NequipTrainer(NequipInput):
    """Trains NequIP."""

    packages = ("nequip", "nequip-allegro", "e3nn", "lightning")
    # It is compiled by g++, several times as long on a busy machine.
    export_s = 240.0

    def prepare(self) -> None:
        """Write ``config.yaml`` and the frames."""
        yaml = import_module("yaml", "pyyaml")
        self._types, self._cutoff_A = self._shape()
        for split in SHOWN:
            text = write_extxyz(self.work.frames[split], stress=self.work.with_stress, origin=False)
            (self.work.folder / f"{split}.extxyz").write_text(text)
        (self.work.folder / "config.yaml").write_text(yaml.safe_dump(self.config(), sort_keys=False))

    def _shape(self) -> tuple[list[str], float]:
        """Return the elements that the model knows, and its cut-off, angstrom."""
        parent = self.work.parent
        if parent is None:
            return self.work.elements, self._settings().cutoff_A
        with parent.loading():
            model = import_module("nequip.model.saved_models.load_utils", "nequip").load_saved_model(str(parent.path))
        types = str(model.metadata["type_names"]).split(" ")
        missing = sorted(set(self.work.elements) - set(types))
        if missing:
            raise RunnerError("element_unknown", f"The parent does not know {', '.join(missing)}; choose another one.")
        return types, float(model.metadata["r_max"])

    def prior(self, frames: Sequence[LabelledFrame]) -> FloatArray | None:
        """Return the energies of the repulsion of nuclei, which the network is added to."""
        settings, types = self._settings(), self.work.elements
        if self.work.parent is not None or not settings.zbl:
            return None
        import_module("nequip.utils.global_state", "nequip").set_global_state(allow_tf32=False)
        build = import_module("nequip.model", "nequip").ZBLPairPotential
        kind = import_module("nequip.integrations.ase", "nequip").NequIPCalculator
        about = {"r_max": settings.cutoff_A, "type_names": types, "chemical_species": types, "units": "metal"}
        model = build(seed=self.work.plan.seed, model_dtype=self.work.plan.precision, compile_mode="eager", **about)
        transforms = import_module("nequip.data.transforms", "nequip")
        mapper, neighbours = transforms.ChemicalSpeciesToAtomTypeMapper, transforms.NeighborListTransform
        steps = [mapper(model_type_names=types), neighbours(r_max=settings.cutoff_A)]
        return predict(kind(model=model.eval(), device="cpu", transforms=steps), frames, "The repulsion")[0]

    def n_weights(self, potential: Potential) -> int | None:  # noqa: ARG002
        """Return the number of weights of the best epoch: a compiled model does not show them."""
        best = self.best()
        assert best is not None
        state = import_module("torch", "nequip").load(best, map_location="cpu", weights_only=True)["state_dict"]
        return sum(int(weight.numel()) for name, weight in state.items() if name.startswith("ema.ema_weight_"))

    def counts(self) -> dict[str, Counts]:
        """Read the frames with the program's own reader, and count their labels."""
        kind = import_module("nequip.data.dataset", "nequip").ASEDataset
        return {split: _counted(kind(str(self.work.folder / f"{split}.extxyz")).data_list) for split in SHOWN}

    def command(self) -> list[str]:
        """Return ``nequip-train``."""
        folder = str(self.work.folder.resolve())
        own = ["-cp", folder, "-cn", "config", "hydra.run.dir=hydra", "hydra.job.chdir=false"]
        return [sys.executable, "-m", "nequip.scripts.train", *own]

    def curve(self) -> list[Row]:
        """Read ``metrics.csv``, which has several lines for each epoch."""
        path = self.work.folder / OUTPUT / "metrics.csv"
        if not path.is_file():
            return []
        with path.open(newline="") as stream:
            lines = [line for line in csv.DictReader(stream) if None not in line.values()]
        epochs: dict[int, Row] = {}
        for line in lines:
            if line.get("epoch"):
                epochs.setdefault(int(line["epoch"]), {}).update(_row(line))
        done = [{"epoch": epoch + 1.0, **row} for epoch, row in sorted(epochs.items()) if "validation_loss" in row]
        rates = [float(line["lr-Adam"]) for line in lines if line.get("lr-Adam")]
        return [row | {"learning_rate": rate} for row, rate in zip(done, rates, strict=False)]

    def best(self) -> Path | None:
        """Return ``best.ckpt``."""
        path = self.work.folder / OUTPUT / "best.ckpt"
        return path if path.is_file() else None

    def export(self, best: Path, constants: Mapping[str, float]) -> dict[str, Path]:
        """Add the constants to the shift of each element, package the model and compile it for this computer.

        The model has the averaged weights, whose errors the learning curve has.

        :raises RunnerError: ``failed`` if it cannot be compiled.
        """
        torch = import_module("torch", "nequip")
        content = torch.load(best, map_location="cpu", weights_only=True)
        amounts = torch.tensor([[constants.get(name, 0.0)] for name in self._types], dtype=torch.float64)
        for name in _shifts(content["state_dict"]):
            content["state_dict"][name] = content["state_dict"][name].double() + amounts
        content["hyper_parameters"]["info_dict"]["data"]["train_file_path"] = EXAMPLE
        (self.work.folder / EXAMPLE).write_text(write_extxyz([repeated(self.work.frames["train"][0])], origin=False))
        shifted = self.work.folder / OUTPUT / "shifted.ckpt"
        torch.save(content, shifted)
        compiled = Path(self.work.plan.kind.filename)
        for path in (PACKAGE, compiled):
            path.unlink(missing_ok=True)
        self._call("nequip.scripts.package", "build", str(shifted.resolve()), str(PACKAGE.resolve()))
        modes = ["--mode", "aotinductor", "--target", "ase", "--device", self.device]
        self._call("nequip.scripts.compile", str(PACKAGE.resolve()), str(compiled.resolve()), *modes)
        return {"potential": compiled, "package": PACKAGE}

    def _call(self, module: str, *arguments: str) -> None:
        command = [sys.executable, "-c", f"from {module} import main; main()", *arguments]
        done = subprocess.run(
            command, cwd=self.work.folder, env=self.environment(), capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            words = " | ".join((done.stderr or done.stdout).strip().splitlines()[-3:])
            raise RunnerError("failed", f"{module} failed, which compiles the trained potential: {words}")


def repeated(frame: LabelledFrame) -> LabelledFrame:
    """Return a frame repeated in all directions until it has enough atoms to be traced; it is not trained on."""
    times = 1
    while times**3 * len(frame.symbols) < EXAMPLE_ATOMS:
        times += 1
    shifts = np.array(list(np.ndindex(times, times, times))) @ frame.cell
    return replace(
        frame,
        symbols=list(frame.symbols) * times**3,
        positions=np.concatenate([frame.positions + shift for shift in shifts]),
        cell=times * frame.cell,
        energy_eV=times**3 * frame.energy_eV,
        forces=np.tile(frame.forces, (times**3, 1)),
    )


def _shifts(state: Mapping[str, Any]) -> list[str]:
    """Return the names of the shifts in a state.

    :raises RunnerError: ``failed`` if there are none to which the constants could be added.
    """
    names = [name for name in state if name.endswith(SHIFTS)]
    if not names or any(state[name].numel() == 0 for name in names):
        raise RunnerError("failed", "the trained model has no shift for each element: its zero of energy cannot be set")
    return names


def _counted(data: Sequence[Mapping[str, Any]]) -> Counts:
    """Return the labels of frames as the program read them; what is not a number counts as no label."""

    def number(name: str) -> int:
        return sum(int(frame[name].isfinite().sum()) for frame in data if name in frame)

    return Counts(len(data), number("total_energy"), number("forces"), number("stress") // 9)


def _row(line: Mapping[str, str]) -> Row:
    return {
        ours: float(line[theirs]) if line[theirs] else math.nan for theirs, ours in COLUMNS.items() if line.get(theirs)
    }
