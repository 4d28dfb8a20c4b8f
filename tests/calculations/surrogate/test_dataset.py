"""Sampled materials in one node, and what does not belong together."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from aiida import orm

from aiida_ion.calculations.surrogate.arrays import DATASET_ARRAYS, arrays_sha256, dataset_arrays, validate_dataset
from aiida_ion.calculations.surrogate.dataset import gather_dataset, join_datasets
from aiida_ion.calculations.surrogate.displaced import smear_structure
from aiida_ion.calculations.surrogate.labels import LabelRefusedError, diffusivity_cm2_s, label_of, log10_slope
from aiida_ion.surrogate.settings import Settings as ModelSettings
from aiida_ion.workchains.surrogate_samples.parameters import SampleParameters
from tests.calculations.surrogate_nodes import SAMPLED, crystal, dataset, diffusion, inputs_of, material

pytestmark = pytest.mark.usefixtures("aiida_profile_clean")


def gather(materials: list[dict[str, Any]], **settings: Any) -> Any:
    return gather_dataset(parameters=orm.Dict(settings), **inputs_of(materials))


def test_the_arrays_are_those_of_the_materials() -> None:
    node = dataset(4)
    arrays = dataset_arrays(node)
    assert {name: array.dtype.name for name, array in arrays.items()} == DATASET_ARRAYS
    attributes = node.base.attributes.all
    n_frames = sum(SAMPLED.values())
    assert (attributes["n_materials"], attributes["n_configurations"], attributes["n_censored"]) == (4, 4 * n_frames, 1)
    assert (attributes["temperature_K"], attributes["mobile_species"], attributes["levels_of_theory"]) == (
        1000.0,
        ["Li"],
        ["toy"],
    )
    assert attributes["sha256"] == arrays_sha256(arrays) and len(attributes["sources"]) == 4
    assert attributes["materials"][0]["prototype"] == "AB 225"
    assert attributes["materials"][0]["chemical_system"] == "Cl-Li"
    # D = 1e-5 cm^2/s is 6 * 1e-5 * 1e4 angstrom^2/ps.
    np.testing.assert_allclose(arrays["log10_slope"][:3], np.log10([0.6, 0.06, 0.006]))
    assert arrays["log10_slope"][3] == pytest.approx(np.log10(6e4 * 1e-8))
    np.testing.assert_allclose(arrays["log10_slope_std"], [0.1, 0.1, 0.1, 0.0], atol=0.005)
    assert arrays["censored"].tolist() == [False, False, False, True]
    assert arrays["replica_offsets"].tolist() == [0, 2, 4, 6, 6]
    assert np.isnan(arrays["replica_log10_slope"]).tolist() == [False, True] * 3
    assert arrays["kind"][:n_frames].tolist() == [0, 0, 0, 1, 1, 2, 2, 2, 2]
    np.testing.assert_equal(arrays["amplitude_A"][:4], [0.05, 0.1, 0.1, np.nan])
    np.testing.assert_allclose(arrays["time_fs"][3:n_frames], [0, 20, 0, 20, 40, 60])
    assert arrays["position_offsets"][-1] == len(arrays["positions_A"]) == 4 * n_frames * 8
    assert (arrays["short_md_steps_fs"] == 2.0).all() and arrays["mobile"].sum() == 16
    assert validate_dataset(node) is None


def test_each_configuration_has_its_own_forces() -> None:
    nodes = material(crystal(), diffusion())
    arrays = dataset_arrays(gather([nodes]))
    frame = 3  # the first of the trajectory
    first, last = arrays["position_offsets"][frame : frame + 2]
    run, forces = nodes["trajectories_replica_00_segment_000"], nodes["trajectory_forces"]
    np.testing.assert_array_equal(arrays["positions_A"][first:last], run.get_array("positions")[0])
    np.testing.assert_array_equal(arrays["forces_eV_A"][first:last], forces.get_array("forces")[0])


def parts_of(materials: list[dict[str, Any]], **settings: Any) -> dict[str, Any]:
    return {f"part_{index:04d}": gather(materials[index : index + 2], **settings) for index in (0, 2)}


def test_configurations_under_their_former_name_are_read() -> None:
    nodes = material(crystal(), diffusion())
    former = {name.replace("displaced", "smeared"): node for name, node in nodes.items()}
    assert "smeared_forces" in former
    nodes["displaced_forces"].base.attributes.set("segments", ["smeared"])
    for given in (nodes, former):
        arrays = dataset_arrays(gather([given]))
        np.testing.assert_equal(arrays["amplitude_A"][:4], [0.05, 0.1, 0.1, np.nan])
    assert SampleParameters.from_dict({"temperature_K": 900.0, "kinds": ["smeared"]}).kinds == ["displaced"]
    assert ModelSettings.from_dict({"kind": "smeared"}).kind == "displaced"


def test_parts_that_are_joined_are_the_whole() -> None:
    materials = [
        material(crystal(5.0 + 0.1 * index), diffusion(10.0 ** -(5 + index)), seed=index) for index in range(4)
    ]
    whole, joined = gather(materials), join_datasets(parameters=orm.Dict({}), **parts_of(materials))
    for name, array in dataset_arrays(whole).items():
        np.testing.assert_array_equal(joined.get_array(name), array, err_msg=name)
    assert validate_dataset(joined) is None
    ours, theirs = (node.base.attributes.all for node in (joined, whole))
    assert {key: value for key, value in ours.items() if not key.startswith("array|")} == {
        key: value for key, value in theirs.items() if not key.startswith("array|")
    }


def test_parts_that_do_not_belong_together_are_not_joined() -> None:
    one = material(crystal(), diffusion())
    twice = [one, material(crystal(5.2), diffusion(1e-6)), material(crystal(5.3), diffusion(1e-7)), one]
    with pytest.raises(ValueError, match="once more; give each material once"):
        join_datasets(parameters=orm.Dict({}), **parts_of(twice))


def test_what_is_no_label_is_left_out_with_its_reason() -> None:
    refused = diffusion(refused_because="the temperature drifts")
    node = gather([material(crystal(), diffusion()), material(crystal(5.2), refused)])
    assert node.base.attributes.get("n_materials") == 1
    (left,) = node.base.attributes.get("left_out")
    assert left["reason"] == "the temperature drifts" and left["diffusion_uuid"] == refused.uuid
    with pytest.raises(ValueError, match="no material is left for the dataset: .*the temperature drifts"):
        gather([material(crystal(5.2), refused)])


def test_labels() -> None:
    assert diffusivity_cm2_s(log10_slope(3e-6)) == pytest.approx(3e-6)
    label = label_of(diffusion(1e-6))
    assert (label.censored, len(label.replicas)) == (False, 2)
    without = diffusion(1e-6, tracer_diffusivity_ci95_cm2_s=[5e-7, 2e-6]).clone()
    without.delete_array("tracer_diffusivity_samples_cm2_s")
    assert label_of(without).std == pytest.approx(np.log10(4) / 3.92, rel=1e-3)
    without.base.attributes.set("tracer_diffusivity_ci95_cm2_s", [0.0, 2e-6])
    with pytest.raises(LabelRefusedError, match="down to no diffusion"):
        label_of(without)
    with pytest.raises(LabelRefusedError, match="disagree"):
        label_of(diffusion(1e-6, fit_consistent=False))
    with pytest.raises(LabelRefusedError, match="neither"):
        label_of(diffusion(None, tracer_diffusivity_upper_bound_cm2_s=None))


def test_a_prediction_needs_no_label() -> None:
    node = dataset(2, labelled=False)
    assert np.isnan(node.get_array("log10_slope")).all() and not node.get_array("censored").any()
    assert node.base.attributes.get("sources") == []
    with pytest.raises(ValueError, match="nothing says its level_of_theory, mobile_species, temperature_K"):
        gather([material(crystal(), None)])


@pytest.mark.parametrize(
    ("change", "message", "allowed"),
    [
        ({"level_of_theory": "other"}, "2 levels of theory .other, toy.: choose one", "level_of_theory"),
        ({"target_temperature_K": 1011.0}, "2 temperatures .1000 K, 1011 K.", "temperature"),
        ({"mobile_species": "Cl"}, "2 mobile species .Cl, Li.", "mobile_species"),
    ],
)
def test_what_differs_is_refused_unless_allowed(change: dict[str, Any], message: str, allowed: str) -> None:
    materials = [material(crystal(), diffusion()), material(crystal(5.2), diffusion(**change))]
    with pytest.raises(ValueError, match=message):
        gather(materials)
    assert gather(materials, allow_mixed=[allowed]).base.attributes.get("n_materials") == 2


def test_temperatures_within_a_percent_are_one() -> None:
    materials = [material(crystal(), diffusion()), material(crystal(5.2), diffusion(target_temperature_K=1009.0))]
    assert gather(materials).base.attributes.get("temperature_K") == pytest.approx(1004.5)


def test_a_material_that_is_not_whole_is_refused() -> None:
    first = material(crystal(), diffusion())
    with pytest.raises(ValueError, match="material_0001 is material_0000 once more"):
        gather([first, first | {"structure": orm.StructureData(ase=crystal(5.3))}])
    with pytest.raises(ValueError, match="once more"):
        gather([first, material(crystal(), diffusion())])
    with pytest.raises(ValueError, match="hold other atoms than its structure"):
        gather([first | {"structure": orm.StructureData(ase=crystal()[::-1])}])
    with pytest.raises(ValueError, match="of another cell than its structure"):
        gather([first | {"structure": orm.StructureData(ase=crystal(5.1))}])
    with pytest.raises(ValueError, match="those of segment_000, which is not given"):
        gather([{name: node for name, node in first.items() if name != "short_md_segment_000"}])
    with pytest.raises(ValueError, match="no forces of any configuration"):
        gather([{name: first[name] for name in ("structure", "diffusion")}])
    with pytest.raises(ValueError, match="has no structure"):
        gather([{name: node for name, node in first.items() if name != "structure"}])
    with pytest.raises(ValueError, match="allow_mixed knows"):
        gather([first], allow_mixed=["colour"])
    with pytest.raises(ValueError, match="names are like material_0000_structure"):
        gather_dataset(parameters=orm.Dict({}), thing=orm.Int(1))


def test_a_changed_dataset_is_noticed() -> None:
    node = dataset(2).clone()
    node.set_array("log10_slope", node.get_array("log10_slope") + 1)
    assert "not those that its sha256 says" in str(validate_dataset(node))
    node.delete_array("kind")
    assert "lacks kind" in str(validate_dataset(node))


def test_displacements_are_what_was_asked_for(lithium_nitride: orm.StructureData) -> None:
    structure = orm.StructureData(ase=lithium_nitride.get_ase().repeat(3))

    def displace(seed: int = 1, **counts: int) -> Any:
        amplitudes = {name.replace("_", "."): count for name, count in counts.items()}
        return smear_structure(structure, orm.Dict({"amplitudes_A": amplitudes, "seed": seed}))

    both, alone, other = displace(**{"0_1": 30, "0_05": 10}), displace(**{"0_1": 30}), displace(2, **{"0_1": 30})
    shift = both.get_array("positions") - structure.get_ase().positions
    assert shift[:10].std() == pytest.approx(0.05, rel=0.05) and shift[10:].std() == pytest.approx(0.1, rel=0.05)
    assert both.base.attributes.get("amplitudes_A") == [0.05] * 10 + [0.1] * 30
    np.testing.assert_array_equal(both.get_array("positions")[10:], alone.get_array("positions"))
    assert np.abs(other.get_array("positions") - alone.get_array("positions")).max() > 0.1
