"""Control experiments: the same training without information that a good surrogate must need."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from aiida_ion.surrogate.dataset import Dataset, FloatArray
from aiida_ion.surrogate.settings import INVARIANTS, Settings


@dataclass(frozen=True)
class Arm:
    """One way to train the network in the same report.

    :param name: such as ``random_vectors``.
    :param kind: ``model``, ``control`` or ``ablation``.
    :param dataset: with the forces used by this arm.
    :param settings: those of the model, possibly reduced.
    """

    name: str
    kind: str
    dataset: Dataset
    settings: Settings


def random_vectors(dataset: Dataset, seed: int) -> Dataset:
    """Return the dataset with accelerations in random directions, with magnitudes drawn from all materials."""
    generator = np.random.default_rng(seed)
    masses = _masses(dataset)
    sizes = np.linalg.norm(dataset["forces_eV_A"], axis=1) / masses
    directions = generator.normal(size=dataset["forces_eV_A"].shape)
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    drawn = generator.permutation(sizes) * masses
    return dataset.with_forces((directions * drawn[:, None]).astype(np.float32))


def shuffled_accelerations(dataset: Dataset, seed: int) -> Dataset:
    """Return the dataset with the accelerations of each configuration shuffled among its atoms."""
    generator = np.random.default_rng(seed)
    masses = _masses(dataset)
    accelerations = dataset["forces_eV_A"] / masses[:, None]
    for configuration in range(len(dataset["material"])):
        rows = dataset.rows(configuration)
        accelerations[rows] = generator.permutation(accelerations[rows])
    return dataset.with_forces((accelerations * masses[:, None]).astype(np.float32))


def no_accelerations(dataset: Dataset, seed: int) -> Dataset:
    """Return the dataset without forces; the seed has no effect."""
    del seed
    return dataset.with_forces(np.zeros_like(dataset["forces_eV_A"]))


FORCE_CONTROLS: dict[str, Callable[[Dataset, int], Dataset]] = {
    "random_vectors": random_vectors,
    "shuffled_accelerations": shuffled_accelerations,
    "no_accelerations": no_accelerations,
}


def make_arms(dataset: Dataset, settings: Settings, seed: int, controls: bool, ablations: bool) -> list[Arm]:
    """Return the model, its controls, and its ablations.

    :param seed: seed of the random vectors.
    """
    arms = [Arm("model", "model", dataset, settings)]
    if controls:
        arms += [Arm(name, "control", make(dataset, seed), settings) for name, make in FORCE_CONTROLS.items()]
        arms.append(Arm("species", "control", no_accelerations(dataset, seed), _by_species(settings)))
    if ablations:
        arms += [Arm(f"without_{name}", "ablation", dataset, less) for name, less in _reduced(settings)]
    return arms


def _by_species(settings: Settings) -> Settings:
    """Return settings in which atoms carry their element, but nothing on forces or motion."""
    kept = tuple(setting for setting in settings.inputs if setting in ("mobile", "species"))
    inputs = (*kept, *(() if "species" in kept else ("species",)))
    known = tuple(setting for setting in settings.invariants if setting == "structure")
    return replace(settings, inputs=inputs, invariants=known, pretraining_epochs=0)


def _reduced(settings: Settings) -> Sequence[tuple[str, Settings]]:
    """Return the parts of a model by name, with its settings without each."""
    variants: list[tuple[str, Settings]] = []
    for name in settings.inputs:
        if len(settings.inputs) > 1:
            left = tuple(setting for setting in settings.inputs if setting != name)
            variants.append((name if name != "mobile" else "mobile_mask", _pooled(settings, left)))
    for name in INVARIANTS:
        if name in settings.invariants:
            left = tuple(setting for setting in settings.invariants if setting != name)
            variants.append((f"{name}_numbers", replace(settings, invariants=left)))
    if settings.invariants:
        variants.append(("all_numbers", replace(settings, invariants=())))
    if settings.pretraining_epochs:
        variants.append(("pretraining", replace(settings, pretraining_epochs=0)))
    return variants


def _pooled(settings: Settings, inputs: tuple[str, ...]) -> Settings:
    changes: dict[str, Any] = {"inputs": inputs}
    if "mobile" not in inputs:
        changes["pool"] = "all"
    return replace(settings, **changes)


def _masses(dataset: Dataset) -> FloatArray:
    """Return the mass of the atom of every row of positions, (P,), amu."""
    owners = dataset["material"]
    parts = [dataset["masses_amu"][dataset.atoms(int(owner))] for owner in owners]
    return np.concatenate(parts)
