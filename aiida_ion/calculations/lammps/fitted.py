"""A fitted POD potential: what its files say of themselves, and the inputs of jobs that run it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from aiida import orm

from aiida_ion.calculations.training.ports import potential_facts
from aiida_ion.lammps.fitted import Reference, reduced_formula
from aiida_ion.lammps.pod.order import PLACEHOLDER
from aiida_ion.training.coverage import coverage
from aiida_ion.training.families.pod import FAMILY, PodSettings
from aiida_ion.training.frames import LabelledFrame

#: Names of the files of a fit among the outputs of its job, and in the folders of jobs that run it.
PARAM, COEFF = "param", "coeff"
FILENAMES = {PARAM: "param.pod", COEFF: "coeff.pod"}


def fit_attributes(
    dataset: orm.ArrayData,
    parameters: Mapping[str, Any],
    settings: PodSettings,
    train: Sequence[LabelledFrame],
    reference: tuple[LabelledFrame, float],
    sha256: Mapping[str, str],
) -> dict[str, Any]:
    """Return the attributes of the file of coefficients.

    :param dataset: what it was fitted to.
    :param parameters: those of its job.
    :param settings: of this member of a committee.
    :param train: all training frames.
    :param reference: one of them, and its energy by the fitted potential, eV.
    :param sha256: of each file.
    """
    frame, energy_eV = reference
    facts = potential_facts(dataset, parameters, FAMILY, sha256[COEFF], None)
    return facts | {
        "species": sorted(set(frame.symbols)),
        "formulas": sorted({reduced_formula(frame.symbols) for frame in train}),
        # Those of the training frames only: frames of the test do not widen what the potential may be used for.
        "volumes_A3_atom": coverage(train)["volumes_A3_atom"],
        "fixed_cell": True,
        **widths(train, settings.rcut_A),
        "reference": Reference.of(frame.symbols, frame.positions, frame.cell, energy_eV).to_dict(),
        "settings": settings.to_dict(),
        "files_sha256": dict(sha256),
    }


def widths(train: Sequence[LabelledFrame], rcut_A: float) -> dict[str, Any]:
    """Return the narrowest width of the cells of training frames, and what follows from a cell that is too narrow.

    :param rcut_A: cut-off, angstrom.
    """
    normals = [np.linalg.norm(np.linalg.inv(frame.cell), axis=0) for frame in train]
    narrowest_A = float(1.0 / np.max(normals))
    caveats = []
    if narrowest_A < rcut_A:
        caveats.append(
            f"Training cells are {narrowest_A:.3g} angstrom wide, below the cut-off of {rcut_A:g}: atoms and their own "
            "images moved together in every frame, so that forces in wider cells are extrapolated. Train on wider ones."
        )
    return {"narrowest_width_A": narrowest_A, "caveats": caveats}


def fitted_potential(files: Mapping[str, orm.SinglefileData]) -> tuple[dict[str, Any], dict[str, orm.SinglefileData]]:
    """Return the inputs `potential` and `files` of jobs of LAMMPS that run a fitted POD potential.

    :param files: the output `files` of a finished ``ion.lammps_train``.
    :raises ValueError: if they are not that.
    """
    missing = [name for name in (PARAM, COEFF) if name not in files]
    about = files[COEFF].base.attributes.all if not missing else {}
    if missing or "reference" not in about:
        raise ValueError("give the output `files` of a finished ion.lammps_train: a fit that failed has none")
    names = {name: files[name].filename for name in (PARAM, COEFF)}
    potential = {
        "name": FAMILY,
        "commands": f"pair_style pod\npair_coeff * * {names[PARAM]} {names[COEFF]} {PLACEHOLDER}",
        "level_of_theory": about["level_of_theory"],
        "files": list(names.values()),
        "elements": about["species"],
        "species": about["species"],
        "compositions": about["formulas"],
        "volumes_A3_atom": about["volumes_A3_atom"],
        "fixed_cell": about["fixed_cell"],
        "reference": about["reference"],
    }
    return potential, {name: files[name] for name in (PARAM, COEFF)}
