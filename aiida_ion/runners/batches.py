"""Several frames in one evaluation, for the potentials whose packages can: SevenNet, CHGNet and MACE.

Frames of a batch may differ in atoms, elements and cell.
What is used here of those packages is what they themselves use to evaluate many structures, but none of them promises
to keep it; so the first batch, and the first of frames of different sizes, is compared with the ASE calculator, which
has the last word.
"""

from __future__ import annotations

import gc
import importlib
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from ase import Atoms

from aiida_ion.runners.output import is_out_of_memory

Array = np.ndarray[Any, Any]
#: Energies (n,) in eV, and the forces of each of n frames, (N, 3), in eV/angstrom.
Evaluation = tuple[Array, list[Array]]
Batch = Callable[[Sequence[Atoms]], Evaluation]

#: Atoms in a batch. A processor is busy with few, and each needs 6 to 10 MiB; a GPU needs many to be busy.
ATOMS_AT_ONCE = {"cpu": 32, "cuda": 2000}
#: What single precision and another order of summation may change: eV per atom, of the energy, and eV/angstrom.
ENERGY_NOISE_EV_ATOM, RELATIVE_NOISE, FORCE_NOISE_EV_A = 1e-5, 1e-5, 1e-4


class Evaluator:
    """Energies and forces of frames, as many at a time as the potential and the memory allow.

    :param calculator: the ASE calculator.
    :param in_batches: evaluates several frames at once; None where the potential cannot.
    :param batch_size: most frames at a time.
    :param atoms_at_once: most atoms at a time, but for a single frame; any number when not given.
    """

    def __init__(
        self, calculator: Any, in_batches: Batch | None, batch_size: int, atoms_at_once: int | None = None
    ) -> None:
        self.calculator = calculator
        self.batch_size = batch_size if in_batches is not None else 1
        self.warnings: list[str] = []
        self._in_batches = in_batches
        self._atoms_at_once = atoms_at_once
        self._checked: set[bool] = set()

    @property
    def uses_batches(self) -> bool:
        """Whether frames go to the potential without its ASE calculator."""
        return self._in_batches is not None

    def count(self, sizes: Array) -> int:
        """Return how many of the next frames go into one batch, one at least.

        :param sizes: atoms of each of them.
        """
        sizes = sizes[: self.batch_size]
        if self._atoms_at_once is None:
            return len(sizes)
        return max(1, int((np.cumsum(sizes) <= self._atoms_at_once).sum()))

    def evaluate(self, frames: Sequence[Atoms]) -> Evaluation:
        """Evaluate the first of the frames: all of them, or fewer where they do not fit into memory.

        :param frames: one or more; not more than :attr:`batch_size`.
        :returns: energies (k,) and forces, k times (N, 3), of the first k frames, k > 0.
        """
        while self._in_batches is not None:
            try:
                evaluation = self._in_batches(frames)
                self.check(frames, evaluation)
                return evaluation
            except Exception as error:
                if not is_out_of_memory(error):
                    self._give_up(f"{type(error).__name__}: {error}")
                elif len(frames) == 1:
                    raise
            # Only here, without the error and what it holds on to, does the memory come free.
            if self._in_batches is not None:
                self.batch_size = (len(frames) + 1) // 2
                frames = frames[: self.batch_size]
            free_memory()
        return one_by_one(self.calculator, frames[:1])

    def check(self, frames: Sequence[Atoms], evaluation: Evaluation) -> None:
        """Compare the last frame of the first batch of its kind with what the calculator says of it.

        :raises ValueError: where they differ by more than noise.
        """
        is_mixed = len({len(frame) for frame in frames}) > 1
        if is_mixed in self._checked:
            return
        frame = frames[-1]
        energies, forces = one_by_one(self.calculator, [frame])
        energy_error = abs(evaluation[0][-1] - energies[0])
        force_error = np.abs(evaluation[1][-1] - forces[0]).max()
        energy_noise = ENERGY_NOISE_EV_ATOM * len(frame) + RELATIVE_NOISE * abs(energies[0])
        force_noise = FORCE_NOISE_EV_A + RELATIVE_NOISE * np.abs(forces[0]).max()
        if not (energy_error <= energy_noise and force_error <= force_noise):
            size = f"{energy_error:.2g} eV and {force_error:.2g} eV/angstrom"
            raise ValueError(f"they differ from the ASE calculator by {size}")
        self._checked.add(is_mixed)

    def _give_up(self, reason: str) -> None:
        self._in_batches, self.batch_size = None, 1
        self.warnings.append(f"Batches could not be used, so the frames went one by one to the calculator ({reason}).")


def default_batch_size(n_atoms: int, device: str) -> int:
    """Return how many frames of that many atoms are evaluated at a time."""
    return max(1, ATOMS_AT_ONCE[device.partition(":")[0] if device.startswith("cuda") else "cpu"] // n_atoms)


def one_by_one(calculator: Any, frames: Sequence[Atoms]) -> Evaluation:
    """Evaluate frames with an ASE calculator."""
    energies, forces = [], []
    for frame in frames:
        atoms = frame.copy()
        atoms.calc = calculator
        energies.append(float(atoms.get_potential_energy()))
        forces.append(atoms.get_forces(apply_constraint=False))
    return np.array(energies), forces


def batch_of(name: str, calculator: Any) -> Batch | None:
    """Return what evaluates several frames at once with the model of a calculator, None where nothing does.

    :param name: name of the potential.
    :param calculator: its ASE calculator.
    """
    maker = {"sevenn": _sevenn, "chgnet": _chgnet, "mace": _mace}.get(name)
    return maker(calculator) if maker is not None else None


def _sevenn(calculator: Any) -> Batch:
    """As ``sevenn inference`` does, with the calculator's own graphs."""

    def evaluate(frames: Sequence[Atoms]) -> Evaluation:
        key = importlib.import_module("sevenn._keys")
        make_graph = importlib.import_module("sevenn.train.dataload").unlabeled_atoms_to_graph
        graph_type = importlib.import_module("sevenn.atom_graph_data").AtomGraphData
        collate = importlib.import_module("torch_geometric.data").Batch.from_data_list
        graphs = [graph_type.from_numpy_dict(make_graph(frame, calculator.cutoff)) for frame in frames]
        if getattr(calculator, "modal", None):
            for graph in graphs:
                graph[key.DATA_MODALITY] = calculator.modal
        calculator.model.set_is_batch_data(True)
        try:
            output = calculator.model(collate(graphs).to(calculator.device))
        finally:
            calculator.model.set_is_batch_data(False)
        return _arrays(output[key.PRED_TOTAL_ENERGY], output[key.PRED_FORCE], frames)

    return evaluate


def _chgnet(calculator: Any) -> Batch:
    """As ``CHGNet.predict_structure`` does, without stress and magnetic moments, a third of its time."""

    def evaluate(frames: Sequence[Atoms]) -> Evaluation:
        model = calculator.model
        to_structure = importlib.import_module("pymatgen.io.ase").AseAtomsAdaptor.get_structure
        graphs = [model.graph_converter(to_structure(frame)) for frame in frames]
        evaluation = model.predict_graph(graphs, task="ef", batch_size=len(graphs))
        predictions = evaluation if isinstance(evaluation, list) else [evaluation]  # of a single graph it is not a list
        factors = [len(frame) if model.is_intensive else 1 for frame in frames]
        energies = [float(prediction["e"]) * factor for prediction, factor in zip(predictions, factors, strict=True)]
        return np.array(energies), [np.asarray(prediction["f"]) for prediction in predictions]

    return evaluate


def _mace(calculator: Any) -> Batch | None:
    """As ``mace_eval_configs`` does, with the precision, head and units of the calculator."""
    is_plain = getattr(calculator, "model_type", "MACE") == "MACE" and not getattr(calculator, "use_compile", False)
    if not is_plain or len(calculator.models) > 1:
        return None

    def evaluate(frames: Sequence[Atoms]) -> Evaluation:
        data, tools = importlib.import_module("mace.data"), importlib.import_module("mace.tools")
        graphs = []
        with tools.torch_tools.default_dtype(calculator.default_dtype):
            for frame in frames:
                config = data.config_from_atoms(frame, head_name=calculator.head)
                graph = data.AtomicData.from_config(
                    config, z_table=calculator.z_table, cutoff=calculator.r_max, heads=calculator.available_heads
                )
                graphs.append(graph)
        batch = tools.torch_geometric.Batch.from_data_list(graphs).to(calculator.device)
        output = calculator.models[0](batch.to_dict(), compute_stress=False)
        energies, forces = _arrays(output["energy"], output["forces"], frames)
        energy_unit = calculator.energy_units_to_eV
        force_unit = energy_unit / calculator.length_units_to_A
        return energies * energy_unit, [array * force_unit for array in forces]

    return evaluate


def _arrays(energies: Any, forces: Any, frames: Sequence[Atoms]) -> Evaluation:
    """Return tensors of a batch as arrays of its frames, whose atoms follow each other."""
    energy_array = energies.detach().cpu().numpy().astype(float).reshape(len(frames))
    force_array = forces.detach().cpu().numpy().reshape(sum(map(len, frames)), 3)
    return energy_array, np.split(force_array, np.cumsum([len(frame) for frame in frames])[:-1])


def free_memory() -> None:
    """Give back what torch keeps of a GPU's memory, after an evaluation that did not fit."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()
