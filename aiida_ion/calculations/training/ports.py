"""What every job that trains a potential shares: its ports, and what its potential and its report say of themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from aiida import orm
from numpy.typing import NDArray

from aiida_ion.calculations.mlip.job import validate_potential
from aiida_ion.calculations.script import define_ledger
from aiida_ion.training.errors import prediction_errors
from aiida_ion.training.frames import LabelledFrame

#: Facts of a dataset that a potential repeats, since they limit what it may be used for.
FROM_DATASET = (
    *("elements", "compositions", "temperatures_K", "volumes_A3_atom", "closest_pairs_A"),
    *("element_constants_eV", "constants_are_determined", "has_stress"),
)


def define_training_ports(spec: Any, validate_parameters: Callable[[orm.Dict | None, Any], str | None]) -> None:
    """Declare dataset, parameters, parent, potential and report.

    :param validate_parameters: validator of ``parameters``.
    """
    spec.input("dataset", valid_type=orm.ArrayData, help="Labelled frames: what `ion.training_dataset` made.")
    spec.input(
        "parameters",
        valid_type=orm.Dict,
        validator=validate_parameters,
        help="`family`, `protocol`, `seed`, `settings` that differ from the protocol, and what else the job reads.",
    )
    spec.input(
        "parent",
        valid_type=orm.Dict,
        required=False,
        validator=_validate_parent,
        help="The potential that the training starts from, as the input `potential` of `ion.mlip_md`.",
    )
    spec.input(
        "parent_checkpoint",
        valid_type=orm.SinglefileData,
        required=False,
        help="Its checkpoint, where it is a file of the database.",
    )
    spec.output(
        "report",
        valid_type=orm.ArrayData,
        required=False,
        help="Learning curve, and energies (eV) and forces (eV/angstrom) of the finished potential on frames of each "
        "split, with its errors as attributes.",
    )
    define_ledger(spec)
    spec.exit_code(
        400,
        "ERROR_OUT_OF_WALLTIME",
        message="The training stopped early; the best potential so far is in its outputs, where there is one: {detail}",
        invalidates_cache=True,  # with more time the same inputs give another potential
    )


def _validate_parent(value: orm.Dict | None, port: Any) -> str | None:
    return None if value is None else validate_potential(value, port)


def dataset_facts(dataset: orm.ArrayData) -> dict[str, Any]:
    """Return what a potential and its report repeat of their dataset."""
    attributes = dataset.base.attributes.all
    facts = {name: attributes.get(name) for name in FROM_DATASET}
    compositions = attributes.get("compositions") or []
    return facts | {
        "single_composition": len(compositions) == 1,
        "dataset_uuid": dataset.uuid,
        "dataset_sha256": attributes.get("sha256"),
    }


def potential_facts(
    dataset: orm.ArrayData, parameters: Mapping[str, Any], label: str, sha256: str, parent_sha256: str | None
) -> dict[str, Any]:
    """Return the attributes of a trained potential.

    :param dataset: what it was trained on.
    :param parameters: those of its job.
    :param label: its family, as the field writes it; its level of theory is that of the labels by this family.
    :param sha256: of its file.
    :param parent_sha256: of the weights it started from; ``None`` without a parent.
    """
    return dataset_facts(dataset) | {
        **{name: parameters.get(name) for name in ("family", "protocol", "seed")},
        "sha256": sha256,
        "parent_sha256": parent_sha256,
        "level_of_theory": f"{dataset.base.attributes.get('level_of_theory', None) or 'unknown labels'} by {label}",
    }


def prediction_arrays(
    frames: Sequence[LabelledFrame], rows: Sequence[int], energies_eV: NDArray[Any], forces: NDArray[Any]
) -> dict[str, NDArray[Any]]:
    """Return the arrays of a report on predictions beside their references.

    :param frames: the n frames that were evaluated.
    :param rows: row of each in the dataset.
    :param energies_eV: shape (n,), eV.
    :param forces: of all atoms of all frames, shape (P, 3), eV/angstrom.
    :raises ValueError: if the predictions are not of these frames, or not finite.
    """
    offsets = np.concatenate([[0], np.cumsum([len(frame.symbols) for frame in frames])]).astype(int)
    if energies_eV.shape != (len(frames),) or forces.shape != (offsets[-1], 3):
        raise ValueError(
            f"predictions of shapes {energies_eV.shape} and {forces.shape} are not of {len(frames)} frames"
        )
    if not (np.isfinite(energies_eV).all() and np.isfinite(forces).all()):
        raise ValueError("some predicted energies or forces are not finite")
    return {
        "predicted_energies": np.asarray(energies_eV, dtype=float),
        "predicted_forces": np.asarray(forces, dtype=float),
        "reference_energies": np.array([frame.energy_eV for frame in frames]),
        "reference_forces": np.concatenate([frame.forces for frame in frames]),
        "offsets": offsets,
        "row": np.asarray(rows, dtype=int),
    }


def errors_of(
    frames: Sequence[LabelledFrame], energies_eV: NDArray[Any], forces: NDArray[Any], offsets: NDArray[Any]
) -> dict[str, Any]:
    """Return the errors by split; see :func:`~aiida_ion.training.errors.prediction_errors`.

    :param forces: of all atoms, shape (P, 3), eV/angstrom.
    :param offsets: first row of each frame in them, shape (n + 1,).
    """
    parts = [forces[start:stop] for start, stop in pairwise(offsets.tolist())]
    return prediction_errors(frames, np.asarray(energies_eV, dtype=float), parts)
