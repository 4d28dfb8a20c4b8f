"""What differs between two levels of theory is named; too few k-points are refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from aiida_ion.training.checks.levels import SourceLevel, check_k_points, check_one_level, differences, same_spacing

PBE: dict[str, Any] = {
    "program": "pw.x",
    "functional": "PBE",
    "pseudopotentials": {"Li": "aa", "O": "bb"},
    "ecutwfc_Ry": 80.0,
    "ecutrho_Ry": 640.0,
    "k_spacing_1_A": [0.3, 0.3, 0.3],
    "k_offset": [0.0, 0.0, 0.0],
    "spin": {"nspin": 1},
}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"functional": "PBEsol"}, "functional PBE and PBEsol"),
        ({"pseudopotentials": {"Li": "aa", "O": "cc"}}, "pseudopotentials of O"),
        ({"ecutwfc_Ry": 60.0}, "cut-off of the wave functions (Ry) 80 and 60"),
        ({"ecutrho_Ry": 480.0}, "cut-off of the density (Ry) 640 and 480"),
        ({"k_spacing_1_A": [0.3, 0.3, 0.38]}, "spacing of k-points (1/angstrom) (0.3, 0.3, 0.3) and (0.3, 0.3, 0.38)"),
        ({"dispersion": "dft-d3"}, "dispersion none and dft-d3"),
        ({"spin": {"nspin": 2}}, "spin {nspin 1} and {nspin 2}"),
    ],
)
def test_each_difference_is_named_and_the_runs(change: dict[str, Any], words: str) -> None:
    levels = [SourceLevel("trajectory 1", "QE PBE", PBE), SourceLevel("trajectory 2", "QE PBE", PBE | change)]
    with pytest.raises(ValueError) as caught:
        check_one_level(levels)
    assert words in str(caught.value)
    assert "trajectory 1 and trajectory 2" in str(caught.value)


def test_what_is_the_same_level_passes() -> None:
    other = PBE | {"k_spacing_1_A": [0.33, 0.3, 0.3], "pseudopotentials": {"Li": "aa", "S": "dd"}}
    assert differences(PBE, other) == []
    check_one_level([SourceLevel("a", "QE PBE", PBE), SourceLevel("b", "QE PBE", other)])
    coarse = PBE | {"k_spacing_1_A": [0.6, 0.6, 0.6]}
    with pytest.raises(ValueError, match="--allow k_spacing"):
        check_one_level([SourceLevel("a", "QE PBE", PBE), SourceLevel("b", "QE PBE", coarse)])
    check_one_level([SourceLevel("a", "QE PBE", PBE), SourceLevel("b", "QE PBE", coarse)], ["k_spacing"])
    assert same_spacing([0.3, 0.2, 0.1], [0.1, 0.3, 0.2])


def test_names_count_where_there_is_no_fingerprint() -> None:
    with pytest.raises(ValueError, match="a is of VASP PBE, b of VASP PBEsol"):
        check_one_level([SourceLevel("a", "VASP PBE"), SourceLevel("b", "VASP PBEsol")])
    with pytest.raises(ValueError, match="a is of QE PBE, b of VASP PBE"):
        check_one_level([SourceLevel("a", "QE PBE", PBE), SourceLevel("b", "VASP PBE")])
    check_one_level([SourceLevel("a", "VASP PBE"), SourceLevel("b", "VASP PBE")])


def test_one_k_point_needs_a_wide_cell() -> None:
    for width, words in ((6.0, "not converged"), (8.0, None), (12.0, None)):
        cell = np.diag([width, 14.0, 14.0])
        gamma = {"k_spacing_1_A": [round(2 * np.pi / one, 2) for one in (width, 14.0, 14.0)]}
        if words:
            with pytest.raises(ValueError, match=words):
                check_k_points("run", cell, gamma)
            assert "6.00 angstrom" in check_k_points("run", cell, gamma, ["gamma_only"])[0]
        else:
            assert len(check_k_points("run", cell, gamma)) == (1 if width < 10 else 0)
    mesh = {"k_spacing_1_A": [round(2 * np.pi / (4 * 3.0), 2)] * 3}
    assert check_k_points("run", np.eye(3) * 3.0, mesh) == []
    listed = {"k_points": [[0.0, 0.0, 0.0]]}
    with pytest.raises(ValueError, match="one k-point along an axis of 5.00"):
        check_k_points("run", np.eye(3) * 5.0, listed)
    assert check_k_points("run", np.eye(3) * 5.0, {}) == []
