"""What is stated of a potential, and what is not."""

from __future__ import annotations

from aiida_ion.dashboards.potentials.published import ASL, Published, published

MLIP = "ion.mlip_md"


def test_models_have_what_their_publishers_state() -> None:
    known = published("sevenn", "7net-0", MLIP)
    assert (known.training_set, known.functional, known.code) == ("MPtrj", "PBE and PBE+U", "MIT, says sevenn 0.13")
    assert known.weights is None
    assert published("sevenn", None, MLIP) == published("sevenn", "", MLIP) == known
    assert published("mace", "mace-matpes-r2scan-0", MLIP).weights == ASL
    assert published("chgnet", "r2scan", MLIP).functional == "r2SCAN"


def test_a_file_of_ones_own_and_an_unknown_model_have_only_their_family() -> None:
    for stated in (published("sevenn", "", MLIP, has_file=True), published("sevenn", "/data/mine.pth", MLIP)):
        assert stated.training_set is stated.functional is stated.weights is None
        assert stated.papers == published("sevenn", "7net-0", MLIP).papers
    assert published("lj", None, MLIP) == published(None, None, None) == Published()
    assert published("pw", "", "ion.quantumespresso_md").papers
