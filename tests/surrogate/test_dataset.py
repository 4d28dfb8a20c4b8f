"""Datasets from files that may be anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aiida_ion.surrogate.dataset import DISPLACED, SHORT_MD, Dataset, read_dataset, validate_dataset


def test_a_file_gives_what_was_written(dataset: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "dataset.npz"
    np.savez(path, **dataset.arrays)  # type: ignore[arg-type]
    result = read_dataset(path, dataset.materials)
    assert len(result) == len(dataset) == 24
    assert all(np.array_equal(result[name], dataset[name], equal_nan=True) for name in ("time_fs", "forces_eV_A"))
    assert len(result.configurations(3, DISPLACED)) == 12
    assert len(result.configurations(3, DISPLACED, [0.1])) == 6
    assert result.positions(result.configurations(3, SHORT_MD)).shape == (24, 8, 3)


def test_accelerations_are_forces_over_masses(dataset: Dataset) -> None:
    chosen = dataset.configurations(5, DISPLACED)[:2]
    forces = dataset["forces_eV_A"][dataset.rows(int(chosen[1]))]
    assert dataset.accelerations(chosen)[1] == pytest.approx(forces / dataset["masses_amu"][dataset.atoms(5)][:, None])
    assert dataset.accelerations([]).shape == (0, 0, 3)


def with_array(dataset: Dataset, name: str, change: Any) -> Dataset:
    array = dataset[name].copy()
    return Dataset({**dataset.arrays, name: change(array)}, dataset.materials)


def set_first(value: Any) -> Any:
    def change(array: Any) -> Any:
        array.flat[0] = value
        return array

    return change


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("kind", lambda array: array[:-1], "are inconsistent: kind"),
        ("atom_offsets", lambda array: array[::-1], "atom_offsets"),
        ("position_offsets", lambda array: array * 2, "position_offsets"),
        ("material", set_first(-1), "belongs to no material"),
        ("material", set_first(99), "belongs to no material"),
        ("positions_A", set_first(np.nan), "not finite"),
        ("forces_eV_A", set_first(np.inf), "not finite"),
    ],
)
def test_what_does_not_fit_together_is_refused(dataset: Dataset, name: str, change: Any, said: str) -> None:
    assert said in str(validate_dataset(with_array(dataset, name, change)))


def test_a_missing_array_and_an_empty_set_are_refused(dataset: Dataset) -> None:
    less = {name: array for name, array in dataset.arrays.items() if name != "mobile"}
    assert "lacks mobile" in str(validate_dataset(Dataset(less)))
    empty = {name: array[:0] for name, array in dataset.arrays.items()}
    empty |= {name: np.zeros(1, dtype=int) for name in ("atom_offsets", "position_offsets", "replica_offsets")}
    assert "empty" in str(validate_dataset(Dataset(empty)))
    assert "are described" in str(validate_dataset(Dataset(dataset.arrays, dataset.materials[:3])))


def test_atoms_of_another_material_are_refused() -> None:
    from benchmarks.synthetic.springs import synthetic_dataset

    dataset = synthetic_dataset(4)
    offsets = dataset["atom_offsets"].copy()
    offsets[1] += 2
    assert "does not have the atoms" in str(validate_dataset(Dataset({**dataset.arrays, "atom_offsets": offsets})))


def test_objects_in_a_file_are_not_unpickled(tmp_path: Path) -> None:
    path = tmp_path / "dataset.npz"
    np.savez(path, log10_slope=np.array([{"a": print}], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle"):
        read_dataset(path)
