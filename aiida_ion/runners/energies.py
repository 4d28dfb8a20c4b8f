"""Energies alone, of many frames at a time, without the forces that cost as much again.

SevenNet's model is used without its last module, CHGNet and MACE are asked for nothing else; other potentials give
their energy through the ASE calculator. As in :mod:`aiida_ion.runners.batches`, the ASE calculator has the last word.
"""

from __future__ import annotations

import gc
import importlib
import sys
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from ase import Atoms

from aiida_ion.runners.batches import ATOMS_AT_ONCE, ENERGY_NOISE_EV_ATOM, RELATIVE_NOISE
from aiida_ion.runners.output import is_out_of_memory

Array = np.ndarray[Any, Any]
#: Energies, eV, (n,), of n frames.
EnergyBatch = Callable[[Sequence[Atoms]], Array]


class EnergyEvaluator:
    """Energies of frames, as many at a time as the device wants and its memory allows.

    :param calculator: the ASE calculator.
    :param in_batches: evaluates several frames at once; ``None`` where nothing does.
    :param atoms_at_once: most atoms at a time, but for a single frame.
    """

    def __init__(self, calculator: Any, in_batches: EnergyBatch | None, atoms_at_once: int) -> None:
        self.calculator = calculator
        self.atoms_at_once = atoms_at_once
        self.warnings: list[str] = []
        self.n_evaluated = 0
        self._in_batches = in_batches
        self._checked: set[bool] = set()

    @property
    def uses_batches(self) -> bool:
        """Whether frames go to the model without the ASE calculator, and without forces."""
        return self._in_batches is not None

    def energies(self, frames: Sequence[Atoms]) -> Array:
        """Return the energy of each frame, eV, (n,).

        :raises Exception: whatever the potential raises for a frame that it cannot evaluate.
        """
        energies = list[float]()
        while len(energies) < len(frames):
            rest = frames[len(energies) :]
            count = self.count([len(frame) for frame in rest])
            energies += self._evaluate(rest[:count])
        self.n_evaluated += len(frames)
        return np.array(energies, dtype=float)

    def count(self, sizes: Sequence[int]) -> int:
        """Return how many of the next frames make a batch, one at least.

        :param sizes: atoms of each of them.
        """
        if self._in_batches is None:
            return 1
        return max(1, int((np.cumsum(sizes) <= self.atoms_at_once).sum()))

    def _evaluate(self, frames: Sequence[Atoms]) -> list[float]:
        """Evaluate a batch; in halves where it does not fit into memory."""
        if self._in_batches is None:
            return [_energy(self.calculator, frame) for frame in frames]
        try:
            energies = self._in_batches(frames).tolist()
        except Exception as error:
            if not is_out_of_memory(error) or len(frames) == 1:
                raise
        else:
            self._check(frames, energies)
            return energies if self.uses_batches else self._evaluate(frames)
        # Only here, without the error and what it holds on to, does the memory come free.
        _free_memory()
        half = len(frames) // 2
        self.atoms_at_once = max(1, self.atoms_at_once // 2)
        return [*self._evaluate(frames[:half]), *self._evaluate(frames[half:])]

    def _check(self, frames: Sequence[Atoms], energies: Sequence[float]) -> None:
        """Compare the last frame of the first batch of its kind with the calculator; use that where they differ."""
        is_mixed = len({len(frame) for frame in frames}) > 1
        if is_mixed in self._checked:
            return
        reference = _energy(self.calculator, frames[-1])
        error = abs(energies[-1] - reference)
        if not error <= ENERGY_NOISE_EV_ATOM * len(frames[-1]) + RELATIVE_NOISE * abs(reference):
            self._in_batches = None
            self.warnings.append(
                f"Energies alone differ from the ASE calculator by {error:.2g} eV, so the calculator computed them."
            )
        self._checked.add(is_mixed)


def atoms_at_once(device: str) -> int:
    """Return how many atoms go into one batch on a device."""
    return ATOMS_AT_ONCE["cuda" if device.startswith("cuda") else "cpu"]


def energy_batch_of(name: str, calculator: Any) -> EnergyBatch | None:
    """Return what computes energies alone with the model of a calculator; ``None`` where nothing does.

    :param name: name of the potential.
    :param calculator: its ASE calculator.
    """
    maker = {"sevenn": _sevenn, "chgnet": _chgnet, "mace": _mace}.get(name)
    return maker(calculator) if maker is not None else None


def _sevenn(calculator: Any) -> EnergyBatch | None:
    """As ``sevenn inference`` does, with a model of the same modules but for the one that computes forces."""
    torch = sys.modules["torch"]
    key = importlib.import_module("sevenn._keys")
    make_graph = importlib.import_module("sevenn.train.dataload").unlabeled_atoms_to_graph
    graph_type = importlib.import_module("sevenn.atom_graph_data").AtomGraphData
    collate = importlib.import_module("torch_geometric.data").Batch.from_data_list
    full = calculator.model
    modules = OrderedDict((name, module) for name, module in full.named_children() if name != "force_output")
    if len(modules) == len(list(full.named_children())):
        return None
    model = type(full)(
        modules,
        cutoff=full.cutoff,
        type_map=full.type_map,
        modal_map=full.modal_map,
        eval_type_map=full.eval_type_map,
        eval_modal_map=full.eval_modal_map,
        data_key_atomic_numbers=full.key_atomic_numbers,
        data_key_node_feature=full.key_node_feature,
        data_key_grad=None,
    ).to(calculator.device)
    model.eval()

    def evaluate(frames: Sequence[Atoms]) -> Array:
        graphs = [graph_type.from_numpy_dict(make_graph(frame, calculator.cutoff)) for frame in frames]
        if getattr(calculator, "modal", None):
            for graph in graphs:
                graph[key.DATA_MODALITY] = calculator.modal
        model.set_is_batch_data(True)  # the modules are those of the calculator, too
        try:
            with torch.no_grad():
                output = model(collate(graphs).to(calculator.device))
        finally:
            model.set_is_batch_data(False)
        return _array(output[key.PRED_TOTAL_ENERGY], len(frames))

    return evaluate


def _chgnet(calculator: Any) -> EnergyBatch:
    """As ``CHGNet.predict_structure`` does, for energies alone."""
    torch = sys.modules["torch"]

    def evaluate(frames: Sequence[Atoms]) -> Array:
        model = calculator.model
        to_structure = importlib.import_module("pymatgen.io.ase").AseAtomsAdaptor.get_structure
        graphs = [model.graph_converter(to_structure(frame)) for frame in frames]
        with torch.no_grad():
            predicted = model.predict_graph(graphs, task="e", batch_size=len(graphs))
        predictions = predicted if isinstance(predicted, list) else [predicted]  # of a single graph it is not a list
        factors = [len(frame) if model.is_intensive else 1 for frame in frames]
        return np.array([float(one["e"]) * factor for one, factor in zip(predictions, factors, strict=True)])

    return evaluate


def _mace(calculator: Any) -> EnergyBatch | None:
    """As ``mace_eval_configs`` does, for energies alone, with the precision, head and units of the calculator."""
    is_plain = getattr(calculator, "model_type", "MACE") == "MACE" and not getattr(calculator, "use_compile", False)
    if not is_plain or len(calculator.models) > 1:
        return None
    torch = sys.modules["torch"]
    data, tools = importlib.import_module("mace.data"), importlib.import_module("mace.tools")

    def evaluate(frames: Sequence[Atoms]) -> Array:
        graphs = []
        with tools.torch_tools.default_dtype(calculator.default_dtype):
            for frame in frames:
                config = data.config_from_atoms(frame, head_name=calculator.head)
                graph = data.AtomicData.from_config(
                    config, z_table=calculator.z_table, cutoff=calculator.r_max, heads=calculator.available_heads
                )
                graphs.append(graph)
        batch = tools.torch_geometric.Batch.from_data_list(graphs).to(calculator.device)
        with torch.no_grad():
            output = calculator.models[0](batch.to_dict(), compute_force=False, compute_stress=False)
        energies: Array = _array(output["energy"], len(frames)) * calculator.energy_units_to_eV
        return energies

    return evaluate


def _array(energies: Any, n_frames: int) -> Array:
    array: Array = energies.detach().cpu().numpy().astype(float).reshape(n_frames)
    return array


def _energy(calculator: Any, frame: Atoms) -> float:
    atoms = frame.copy()
    atoms.calc = calculator
    return float(atoms.get_potential_energy())


def _free_memory() -> None:
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()
