"""What decides how a pseudopotential is used stands in its header."""

from __future__ import annotations

import pytest

from aiida_ion.dft.pw.upf import UpfHeader, common_functional, functional_name, read_upf_header
from tests.quantumespresso_fixtures import pseudo_paths

VERSION_1 = """<PP_HEADER>
   0                   Version Number
  O                    Element
   {kind}                   Ultrasoft - Norm conserving
    F                  Nonlinear Core Correction
 SLA  PW   PBE  PBE     PBE  Exchange-Correlation functional
    6.00000000000      Z valence
</PP_HEADER>
"""


def test_the_pseudopotentials_of_the_tests() -> None:
    cutoffs = {"Li": (78.0, 355.0), "O": (47.0, 323.0)}  # as PP_INFO of the files words them
    for element, path in pseudo_paths().items():
        assert read_upf_header(path.read_text()) == UpfHeader("PBEsol", False, *cutoffs[element])


@pytest.mark.parametrize(("kind", "norm_conserving"), [("US", False), ("NC", True)])
def test_version_1(kind: str, norm_conserving: bool) -> None:
    assert read_upf_header(VERSION_1.format(kind=kind)) == UpfHeader("PBE", norm_conserving)


def test_version_2() -> None:
    text = '<PP_HEADER element="Li" pseudo_type="NC"\nfunctional=" SLA  PW   PBX  PBC" z_valence="3.0"/>'
    assert read_upf_header(text) == UpfHeader("PBE", norm_conserving=True)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ('wfc_cutoff="7.820661561139423E+001" rho_cutoff="3.546191755133806E+002"', (78.0, 355.0)),
        ('wfc_cutoff=" 4.258873786381D1"\n rho_cutoff=" 1.7035D2"', (43.0, 170.0)),
        ('wfc_cutoff="0.000000000000e0" rho_cutoff="0.000000000000e0"', (None, None)),
        ('rho_cutoff="   6.01000000000E+00"', (None, None)),  # ONCVPSP: the radius of its mesh
        ('wfc_cutoff="60" rho_cutoff="0.0"', (60.0, None)),
        ('wfc_cutoff="nan" rho_cutoff="***"', (None, None)),
        ("", (None, None)),
    ],
)
def test_suggested_cutoffs_of_version_2(words: str, expected: tuple[float | None, float | None]) -> None:
    header = read_upf_header(f'<PP_HEADER pseudo_type="NC" functional="PBE" {words}/>')
    assert (header.ecutwfc_Ry, header.ecutrho_Ry) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("     27.476    227.928 Suggested cutoff for wfc and rho", (27.0, 228.0)),
        ("  0.0000000  0.0000000 Suggested cutoff for wfc and rho", (None, None)),
    ],
)
def test_suggested_cutoffs_of_version_1(line: str, expected: tuple[float | None, float | None]) -> None:
    header = read_upf_header(VERSION_1.format(kind="US").replace("</PP", f"{line}\n</PP"))
    assert (header.ecutwfc_Ry, header.ecutrho_Ry) == expected


@pytest.mark.parametrize(("text", "message"), [("junk", "no PP_HEADER"), ("<PP_HEADER/>", "names no functional")])
def test_what_is_no_pseudopotential_is_said(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_upf_header(text)


@pytest.mark.parametrize(
    ("words", "name"),
    [("SLA PW PSX PSC", "PBEsol"), ("pbesol", "PBEsol"), ("pz", "LDA"), ("hse", "hse"), ("sla+pw+pbx+pbc", "PBE")],
)
def test_names(words: str, name: str) -> None:
    assert functional_name(words) == name


def test_different_functionals_are_an_error_that_names_them() -> None:
    assert common_functional({"Li": "PBE", "O": "PBE"}) == "PBE"
    with pytest.raises(ValueError, match=r"Li PBE, O PBEsol"):
        common_functional({"Li": "PBE", "O": "PBEsol"})
