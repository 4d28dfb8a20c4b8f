"""The level of theory of a DFT run: functional, pseudopotentials, cut-offs, k-points and occupations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

#: Digits of a spacing of k-points, 1/angstrom: cells that differ by thermal expansion alone have the same.
SPACING_DIGITS = 2
#: Keys of pw.x's SYSTEM that a part of the fingerprint holds already, or that the structure decides.
_PW_ELSEWHERE = frozenset((
    "ecutwfc", "ecutrho", "occupations", "smearing", "degauss", "nspin", "noncolin", "lspinorb", "tot_magnetization",
    "vdw_corr", "input_dft", "nosym", "noinv", "nbnd",
))  # fmt: skip
_PW_SPIN = ("noncolin", "lspinorb", "tot_magnetization")
#: Tags of VASP that are among the parts, or that decide how fast and how well the same energy is found.
_VASP_ELSEWHERE = frozenset((
    "encut", "ismear", "sigma", "ispin", "magmom", "lsorbit", "lnoncollinear", "nupdown", "ivdw", "luse_vdw", "gga",
    "metagga", "ncore", "npar", "kpar", "nsim", "lplane", "lscalapack", "algo", "ialgo", "nelm", "nelmin", "nelmdl",
    "ediff", "nbands", "istart", "icharg", "lwave", "lcharg", "lvtot", "lorbit", "nwrite", "amix", "bmix", "amix_mag",
    "bmix_mag", "amin", "imix", "maxmix", "time", "lelf", "nedos",
))  # fmt: skip


def k_spacing(cell: ArrayLike, mesh: Sequence[int]) -> list[float]:
    """Return the distance of neighbouring k-points along each axis, 1/angstrom: 2 pi / (n L).

    :param cell: shape (3, 3), angstrom, rows are the vectors; L is the distance between faces, which is the length of
        the vector in an orthogonal cell.
    :param mesh: three whole numbers n.
    """
    reciprocal = 2.0 * np.pi * np.linalg.norm(np.linalg.inv(np.asarray(cell, dtype=float)), axis=0)
    return [round(float(length / n), SPACING_DIGITS) for length, n in zip(reciprocal, mesh, strict=True)]


def mesh_of_spacing(cell: ArrayLike, spacing: float) -> list[int]:
    """Return the smallest mesh whose points are no further apart than ``spacing``, 1/angstrom."""
    lengths = 2.0 * np.pi * np.linalg.norm(np.linalg.inv(np.asarray(cell, dtype=float)), axis=0)
    return [max(1, int(np.ceil(length / spacing - 1e-6))) for length in lengths]


def pw_level(
    functional: str, system: Mapping[str, Any], pseudopotentials: Mapping[str, Any], k_points: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what decides the energies of pw.x.

    :param functional: its name, with a correction for dispersion or on-site repulsion.
    :param system: the namelist SYSTEM, in lower case.
    :param pseudopotentials: of each element, the sha256 of the file.
    :param k_points: as :func:`mesh_facts` or :func:`list_facts` say them.
    """
    occupations = str(system.get("occupations", "fixed"))
    smeared = {key: system.get(key) for key in ("smearing", "degauss")} if occupations == "smearing" else {}
    wave = float(system["ecutwfc"])
    moments = {key: value for key, value in system.items() if key.startswith("starting_magnetization")}
    rest = {key: value for key, value in system.items() if key not in _PW_ELSEWHERE | set(moments)}
    return {
        "program": "pw.x",
        "functional": functional,
        "pseudopotentials": dict(pseudopotentials),
        "ecutwfc_Ry": wave,
        "ecutrho_Ry": float(system.get("ecutrho", 4.0 * wave)),
        **k_points,
        "occupations": {"kind": occupations, **smeared},
        "spin": {"nspin": system.get("nspin", 1), **{key: system[key] for key in _PW_SPIN if key in system}},
        "dispersion": system.get("vdw_corr"),
        "other": rest or None,
    }


def vasp_level(
    functional: str, tags: Mapping[str, Any], pseudopotentials: Mapping[str, Any], k_points: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what decides the energies of VASP.

    :param functional: its name, with a correction for dispersion or on-site repulsion.
    :param tags: INCAR tags, in lower case.
    :param pseudopotentials: of each element, the sha512 of the POTCAR.
    :param k_points: as :func:`mesh_facts` or :func:`list_facts` say them.
    """
    spin = {key: tags[key] for key in ("lsorbit", "lnoncollinear", "nupdown") if key in tags}
    return {
        "program": "VASP",
        "functional": functional,
        "pseudopotentials": dict(pseudopotentials),
        "encut_eV": float(tags["encut"]),
        **k_points,
        "occupations": {"ismear": tags.get("ismear", 1), "sigma_eV": tags.get("sigma", 0.2)},
        "spin": {"ispin": tags.get("ispin", 1), **spin},
        "dispersion": tags.get("ivdw") or None,
        "other": {key: value for key, value in tags.items() if key not in _VASP_ELSEWHERE} or None,
    }


def mesh_facts(cell: ArrayLike, mesh: Sequence[int], offset: Sequence[float]) -> dict[str, Any]:
    """Return what a mesh of k-points is, whatever the cell: its spacing, 1/angstrom, and its offset."""
    return {"k_spacing_1_A": k_spacing(cell, mesh), "k_offset": [float(shift) for shift in offset]}


def list_facts(points: ArrayLike) -> dict[str, Any]:
    """Return what a list of k-points is, shape (n, 3), in units of the reciprocal vectors."""
    return {"k_points": [[round(float(x), 6) for x in point] for point in np.asarray(points, dtype=float)]}


def by_element(hashes: Mapping[str, str], elements: Mapping[str, str]) -> dict[str, Any]:
    """Return hashes by element from those by kind; a list where the kinds of an element have different ones.

    :param hashes: of each kind.
    :param elements: of each kind.
    """
    found: dict[str, set[str]] = {}
    for kind, digest in hashes.items():
        found.setdefault(elements[kind], set()).add(digest)
    return {name: min(own) if len(own) == 1 else sorted(own) for name, own in sorted(found.items())}
