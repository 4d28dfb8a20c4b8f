"""One level of theory has one hash, and what changes energies changes it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from ase.build import bulk

from aiida_ion.dft.fingerprint import (
    by_element,
    k_spacing,
    list_facts,
    mesh_facts,
    mesh_of_spacing,
    pw_level,
    vasp_level,
)
from aiida_ion.fingerprints import FINGERPRINT, FINGERPRINT_SHA256, fingerprint, short_sha256

CELL = np.diag([4.62, 4.62, 9.24])
SYSTEM = {"ecutwfc": 78, "ecutrho": 355.0, "occupations": "fixed"}
HASHES = {"Li": "aa", "O": "bb"}
TAGS = {"encut": 520, "ismear": 0, "sigma": 0.05, "prec": "Accurate", "ediff": 1e-5, "ncore": 4}


def pw(system: dict[str, Any] | None = None, mesh: tuple[int, ...] = (2, 2, 1), **change: Any) -> str:
    given = {"functional": "PBEsol", "pseudopotentials": HASHES, "k_points": mesh_facts(CELL, mesh, (0, 0, 0))} | change
    return short_sha256(pw_level(system=SYSTEM | (system or {}), **given))


def test_the_spacing_of_k_points_is_that_of_the_cell() -> None:
    assert k_spacing(CELL, (2, 2, 1)) == [0.68, 0.68, 0.68]
    assert k_spacing(np.diag([4.62] * 3), (1, 1, 1)) == [1.36] * 3
    doubled = bulk("OLi2", "fluorite", a=4.62).repeat(2)
    assert k_spacing(doubled.cell, (1, 1, 1)) == k_spacing(bulk("OLi2", "fluorite", a=4.62).cell, (2, 2, 2))


@pytest.mark.parametrize(("spacing", "mesh"), [(1.4, [1, 1, 1]), (0.7, [2, 2, 1]), (0.69, [2, 2, 1]), (0.3, [5, 5, 3])])
def test_the_mesh_of_a_spacing(spacing: float, mesh: list[int]) -> None:
    assert mesh_of_spacing(CELL, spacing) == mesh
    assert max(k_spacing(CELL, mesh)) <= spacing + 0.005


def test_the_same_level_in_other_words() -> None:
    assert pw() == pw(dict(reversed(SYSTEM.items())))
    assert pw() == pw({"ecutwfc": 78.0})
    assert pw() == pw({"nspin": 1, "nosym": True})
    assert pw() == pw(pseudopotentials={"O": "bb", "Li": "aa"})
    assert pw({"ecutrho": 312}) == short_sha256(
        pw_level("PBEsol", {"ecutwfc": 78}, HASHES, mesh_facts(CELL, (2, 2, 1), (0, 0, 0)))
    ), "four times the cut-off of the wave functions, as pw.x has it"


@pytest.mark.parametrize(
    "change",
    [
        {"system": {"ecutwfc": 60}},
        {"system": {"ecutrho": 480.0}},
        {"system": {"nspin": 2}},
        {"system": {"occupations": "smearing", "degauss": 0.01}},
        {"system": {"vdw_corr": "grimme-d3"}},
        {"system": {"lda_plus_u": True, "hubbard_u(1)": 3.0}},
        {"system": {"tot_charge": 1.0}},
        {"mesh": (1, 1, 1)},
        {"k_points": mesh_facts(CELL, (2, 2, 1), (0.5, 0.5, 0.5))},
        {"k_points": list_facts([[0.0, 0.0, 0.0]])},
        {"functional": "PBE"},
        {"pseudopotentials": {"Li": "aa", "O": "cc"}},
    ],
)
def test_what_changes_energies_changes_the_hash(change: dict[str, Any]) -> None:
    assert pw(**change) != pw()


def test_vasp() -> None:
    points = mesh_facts(CELL, (2, 2, 1), (0, 0, 0))

    def vasp(**tags: Any) -> str:
        return short_sha256(vasp_level("PBE", TAGS | tags, HASHES, points))

    assert vasp() == vasp(ncore=8, algo="All", nelm=120, ediff=1e-6), "how the energy is found does not decide it"
    others = [vasp(encut=400), vasp(ispin=2), vasp(sigma=0.2), vasp(ivdw=12), vasp(prec="Normal"), vasp(lreal="Auto")]
    assert len({vasp(), *others}) == 7


def test_what_a_node_keeps() -> None:
    kept = fingerprint({"program": "pw.x", "dispersion": None})
    assert kept == {FINGERPRINT: {"program": "pw.x"}, FINGERPRINT_SHA256: short_sha256({"program": "pw.x"})}
    with pytest.raises(ValueError, match="not JSON compliant"):
        fingerprint({"ecutwfc_Ry": float("nan")})


def test_kinds_of_an_element() -> None:
    kinds = {"Fe1": "Fe", "Fe2": "Fe", "O": "O"}
    assert by_element({"Fe1": "a", "Fe2": "a", "O": "b"}, kinds) == {"Fe": "a", "O": "b"}
    assert by_element({"Fe1": "c", "Fe2": "a", "O": "b"}, kinds) == {"Fe": ["a", "c"], "O": "b"}
