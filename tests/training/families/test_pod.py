"""Settings of POD; the numbers of coefficients are compared with LAMMPS in tests/lammps/pod."""

from __future__ import annotations

import pytest

from aiida_ion.settings.values import SettingsError
from aiida_ion.training.families.pod import (
    Basis,
    PodSettings,
    basis_of,
    check_size,
    default_basis,
    drawn_frames,
    member_settings,
    n_descriptors,
)


@pytest.mark.parametrize(
    ("basis", "n_elements", "expected"),
    [
        # As fitpod of LAMMPS 22 Jul 2025 says them.
        (Basis(8, 5, 4), 2, 184),
        (Basis(8, 5, 4), 4, 1132),
        (Basis(8, 5, 4, 3, 2), 2, 280),
        (Basis(8, 5, 4, 3, 2, 2, 1), 3, 1200),
        (Basis(8, 5, 4, 4, 3, 3, 2), 1, 82),
        (Basis(8, 5, 4, 4, 3, 3, 2), 2, 648),
    ],
)
def test_numbers_of_coefficients(basis: Basis, n_elements: int, expected: int) -> None:
    assert n_descriptors(basis, n_elements) == expected


def test_defaults_by_the_number_of_elements() -> None:
    assert [default_basis(n).radial_4 for n in (1, 2, 3, 4, 5)] == [3, 3, 3, 0, 0]
    assert n_descriptors(default_basis(5), 5) < n_descriptors(Basis(8, 5, 4), 5)
    assert basis_of(PodSettings(), 2) == Basis(8, 5, 4, 3, 2)
    # Fewer triples take the quadruples along, which must not be more.
    assert basis_of(PodSettings(radial_3=2, angular_3=1), 2) == Basis(8, 2, 1, 2, 1)
    with pytest.raises(SettingsError, match="radial_4 = 6 must not be above radial_3 = 5"):
        basis_of(PodSettings(radial_4=6), 2)


def test_too_few_frames_are_refused() -> None:
    assert check_size(PodSettings(), 2, 2800) == 280
    with pytest.raises(ValueError, match="2799 force components of training frames do not determine 280"):
        check_size(PodSettings(), 2, 2799)
    assert check_size(PodSettings(equations_per_descriptor=5), 2, 1400) == 280
    with pytest.raises(ValueError, match="that memory allows"):
        check_size(PodSettings(radial_2=8, radial_3=8, angular_3=8), 9, 10**9)


def test_members_of_a_committee() -> None:
    settings = PodSettings(rcut_shift_A=0.25)
    assert [member_settings(settings, seed).rcut_A for seed in (1, 2, 3, 4)] == [5.5, 5.25, 5.75, 5.25]
    assert member_settings(PodSettings(), 2) == PodSettings()
    assert drawn_frames(40, 1) == list(range(40))
    drawn = drawn_frames(40, 2)
    assert drawn == drawn_frames(40, 2) != drawn_frames(40, 3)
    assert len(drawn) == 40 and 18 < len(set(drawn)) < 33 and set(drawn) <= set(range(40))


def test_settings() -> None:
    with pytest.raises(SettingsError, match="rin_A = 2 must be below the cut-off"):
        PodSettings(rin_A=2.0, rcut_A=2.0)
    with pytest.raises(SettingsError, match="angular_4 = 3 must not be above angular_3 = 2"):
        PodSettings(angular_3=2, angular_4=3)
