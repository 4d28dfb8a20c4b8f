"""H5MD: a trajectory as any reader of the format takes it, or, with the averages of the fit, as NOMAD does.

Layout: H5MD 1.1 (de Buyl, Colberg, Höfling, Comput. Phys. Commun. 185, 1546 (2014), 10.1016/j.cpc.2014.01.018), or with
the additions of NOMAD: periodic boundaries as booleans, units that pint understands, observables that name their type.
No file can be both: units are spelled differently, and readers of plain H5MD, such as MDAnalysis, take a frame of
everything under ``observables``, and fail on an average.
Where NOMAD's description and its parser differ (``time_correlation`` and ``correlation_function``; strings of fixed and
of variable length), the parser is followed, since it refuses the alternative.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from ase.data import atomic_masses, atomic_numbers

from aiida_ion import __version__
from aiida_ion.analysis.comparison.radial_distribution import RadialDistribution
from aiida_ion.units import KJ_MOL_PER_EV

FloatArray = npt.NDArray[np.floating[Any]]
VERSION = (1, 1)
PS, ANGSTROM = "ps", "angstrom"
PLAIN, NOMAD = "h5md", "h5md-nomad"
#: Dialect -> element -> unit, and how many of it are one of ours.
UNITS = {
    PLAIN: {
        "position": ("Angstrom", 1.0),
        "velocity": ("Angstrom fs-1", 1.0),
        "force": ("kJ mol-1 Angstrom-1", KJ_MOL_PER_EV),
        "mass": ("u", 1.0),
        "charge": ("e", 1.0),
    },
    NOMAD: {
        "position": (ANGSTROM, 1.0),
        "velocity": ("angstrom / femtosecond", 1.0),
        "force": ("electron_volt / angstrom", 1.0),
        "mass": ("unified_atomic_mass_unit", 1.0),
        "charge": ("elementary_charge", 1.0),
    },
}
BOUNDARIES = {PLAIN: np.array([b"periodic"] * 3), NOMAD: np.array([True] * 3)}


@dataclass(frozen=True)
class ExportedFrames:
    """A run of N atoms in n frames.

    :param symbols: element of each atom.
    :param steps: integration steps, (n,), increasing.
    :param times_ps: (n,).
    :param cells: rows are cell vectors, angstrom, (n, 3, 3).
    :param vectors: ``position`` (angstrom, unwrapped) and, if available, ``velocity`` (angstrom/fs) and ``force``
        (eV/angstrom), (n, N, 3).
    :param first: first frame of the averages.
    """

    symbols: list[str]
    steps: npt.NDArray[np.integer[Any]]
    times_ps: FloatArray
    cells: FloatArray
    vectors: Mapping[str, FloatArray]
    first: int = 0


@dataclass(frozen=True)
class Motion:
    """Motion of the mobile ions: lag times (ps), MSD and its standard deviation (angstrom^2), (k,).

    :param label: the element.
    :param diffusivity_cm2_s: diffusivity and its standard deviation; ``None`` without detected diffusion.
    :param n_replicas: number of runs in the averages; the file contains one of them.
    """

    label: str
    lag_times_ps: FloatArray
    msd_A2: FloatArray
    msd_std_A2: FloatArray
    diffusivity_cm2_s: tuple[float, float] | None
    n_replicas: int


@dataclass(frozen=True)
class About:
    """Origin of the data.

    :param program: name and version of the program of the dynamics.
    :param dynamics: NOMAD's `molecular_dynamics` workflow: values, ``(value, unit)``, or mappings of them.
    :param origin: uuids and names that refer to the database.
    """

    author: str
    program: tuple[str, str]
    charges_e: Mapping[str, float] = field(default_factory=dict)
    dynamics: Mapping[str, Any] = field(default_factory=dict)
    origin: Mapping[str, str] = field(default_factory=dict)


def write_h5md(
    path: Path,
    frames: ExportedFrames,
    about: About,
    rdf: RadialDistribution | None = None,
    motion: Motion | None = None,
    dialect: str = PLAIN,
) -> None:
    """Write one file; an existing file is replaced.

    :param rdf: for NOMAD only, and so is `motion`.
    :param dialect: `PLAIN` or `NOMAD`.
    :raises ValueError: if h5py is not installed, or for averages in a plain file.
    """
    if dialect != NOMAD and (rdf is not None or motion is not None):
        raise ValueError(f"averages are written for NOMAD only: as {NOMAD}")
    try:
        import h5py
    except ImportError as error:
        raise ValueError("H5MD needs h5py: pip install 'aiida-ion[export]'") from error
    draft = path.with_name(f"{path.name}.part")
    with h5py.File(draft, "w") as file:
        _metadata(file, about)
        _particles(file, frames, about.charges_e, dialect)
        if rdf is not None:
            _radial_distributions(file, rdf, frames)
        if motion is not None:
            _motion(file, motion)
        parameters = file.create_group("parameters")
        if about.dynamics:
            _values(parameters.create_group("workflow/molecular_dynamics"), about.dynamics)
        _values(parameters.create_group("provenance"), about.origin)
    draft.replace(path)


def _metadata(file: Any, about: About) -> None:
    group = file.create_group("h5md")
    group.attrs["version"] = np.array(VERSION, dtype=np.int32)
    group.create_group("author").attrs["name"] = about.author
    for name, (program, version) in (("creator", ("aiida-ion", __version__)), ("program", about.program)):
        part = group.create_group(name)
        part.attrs["name"], part.attrs["version"] = program, version


def _particles(file: Any, frames: ExportedFrames, charges_e: Mapping[str, float], dialect: str) -> None:
    units = {name: unit for name, (unit, _) in UNITS[dialect].items()}
    everything = file.create_group("particles/all")
    first: Any = None
    for name, values in frames.vectors.items():
        element = everything.create_group(name)
        if first is None:
            first = element
            element["step"] = np.asarray(frames.steps, dtype=np.int64)
            _quantity(element, "time", frames.times_ps, PS)
        else:
            _same_times(element, first)
        # One frame per chunk: readers go frame by frame.
        factor = UNITS[dialect][name][1]
        scaled = values if factor == 1.0 else values * values.dtype.type(factor)
        chunks = (1, *values.shape[1:])
        element.create_dataset("value", data=scaled, chunks=chunks, compression="gzip", shuffle=True)
        element["value"].attrs.update({"unit": units[name], "unit_factor": 1.0})
    everything["species_label"] = list(frames.symbols)
    masses = [atomic_masses[atomic_numbers[symbol]] for symbol in frames.symbols]
    _quantity(everything, "mass", np.array(masses), units["mass"])
    if charges_e and set(frames.symbols) <= set(charges_e):
        _quantity(everything, "charge", np.array([charges_e[symbol] for symbol in frames.symbols]), units["charge"])
    box = everything.create_group("box")
    box.attrs["dimension"] = 3
    box.attrs["boundary"] = BOUNDARIES[dialect]
    edges = box.create_group("edges")
    _same_times(edges, first)
    _quantity(edges, "value", frames.cells, units["position"])


def _same_times(element: Any, first: Any) -> None:
    """Link the times of one element to another: the same datasets, not copies."""
    element["step"], element["time"] = first["step"], first["time"]


def _radial_distributions(file: Any, rdf: RadialDistribution, frames: ExportedFrames) -> None:
    for pair, values in zip(rdf.pairs, rdf.g, strict=True):
        group = file.create_group(f"observables/radial_distribution_functions/{pair}")
        group.attrs["type"] = "ensemble_average"
        group["type"] = "atomic"
        group["n_bins"] = len(rdf.r_A)
        _quantity(group, "bins", rdf.r_A, ANGSTROM)
        group["value"] = values
        group["frame_start"], group["frame_end"] = frames.first, len(frames.steps) - 1


def _motion(file: Any, motion: Motion) -> None:
    group = file.create_group(f"observables/mean_squared_displacements/{motion.label}")
    group.attrs["type"] = "correlation_function"
    group["type"], group["direction"] = "atomic", "xyz"
    group["n_times"] = len(motion.lag_times_ps)
    group["n_replicas"] = motion.n_replicas
    _quantity(group, "times", motion.lag_times_ps, PS)
    _quantity(group, "value", motion.msd_A2, "angstrom ** 2")
    group["error_type"] = "standard_deviation"
    group["errors"] = motion.msd_std_A2
    if motion.diffusivity_cm2_s is not None:
        group = file.create_group(f"observables/diffusion_constants/{motion.label}")
        group.attrs["type"] = "ensemble_average"
        group["type"] = "atomic"
        _quantity(group, "value", np.float64(motion.diffusivity_cm2_s[0]), "centimeter ** 2 / second")
        group["error_type"] = "standard_deviation"
        group["errors"] = motion.diffusivity_cm2_s[1]


def _quantity(group: Any, name: str, values: Any, unit: str) -> None:
    group[name] = values
    group[name].attrs.update({"unit": unit, "unit_factor": 1.0})


def _values(group: Any, values: Mapping[str, Any]) -> None:
    """Write nested values, with units where given."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            _values(group.create_group(name), value)
        elif isinstance(value, tuple):
            _quantity(group, name, *value)
        elif value is not None:
            group[name] = value
