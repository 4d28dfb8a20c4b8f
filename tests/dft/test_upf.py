"""What decides how a pseudopotential is used stands in its header."""

from __future__ import annotations

import pytest

from aiida_ion.dft.upf import UpfHeader, common_functional, functional_name, read_upf_header
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
    for path in pseudo_paths().values():
        assert read_upf_header(path.read_text()) == UpfHeader("PBEsol", norm_conserving=False)


@pytest.mark.parametrize(("kind", "norm_conserving"), [("US", False), ("NC", True)])
def test_version_1(kind: str, norm_conserving: bool) -> None:
    assert read_upf_header(VERSION_1.format(kind=kind)) == UpfHeader("PBE", norm_conserving)


def test_version_2() -> None:
    text = '<PP_HEADER element="Li" pseudo_type="NC"\nfunctional=" SLA  PW   PBX  PBC" z_valence="3.0"/>'
    assert read_upf_header(text) == UpfHeader("PBE", norm_conserving=True)


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
