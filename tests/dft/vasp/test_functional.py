"""The name of the level of theory."""

from __future__ import annotations

from typing import Any

import pytest

from aiida_ion.dft.vasp.functional import functional_name

PBE = ["PAW_PBE Li_sv 10Sep2004", "PAW_PBE O 08Apr2002"]


@pytest.mark.parametrize(
    ("tags", "titles", "name"),
    [
        ({}, PBE, "PBE"),
        ({}, ["PAW Li 17Jan2003"], "LDA"),
        ({}, ["PAW_PBE O 08Apr2002", "PAW Li 17Jan2003"], "LDA/PBE"),
        ({"gga": "PS"}, PBE, "PBEsol"),
        ({"gga": "XY"}, PBE, "XY"),
        ({"metagga": "R2SCAN"}, PBE, "R2SCAN"),
        ({"metagga": "r2scan", "ivdw": 13}, PBE, "R2SCAN-D4"),
        ({"ivdw": 12}, PBE, "PBE-D3(BJ)"),
        ({"ivdw": 99}, PBE, "PBE-IVDW99"),
        ({"ldau": True}, PBE, "PBE+U"),
        ({"gga": "OR", "luse_vdw": ".TRUE."}, PBE, "optPBE+vdW-DF"),
        ({"lhfcalc": True, "hfscreen": 0.2}, PBE, "HSE06"),
        ({"lhfcalc": True}, PBE, "PBE0"),
        ({"lhfcalc": True, "aexx": 0.4}, PBE, "PBE hybrid (40 % exact exchange)"),
    ],
)
def test_names(tags: dict[str, Any], titles: list[str], name: str) -> None:
    assert functional_name(tags, titles) == name
