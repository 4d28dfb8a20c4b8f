"""Two levels of theory side by side: real fits of known walks, forces with known errors, crystals of known shells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from aiida import orm
from aiida.engine import run_get_node
from aiida.plugins import CalculationFactory
from ase.build import bulk

from aiida_ion.calculations.comparison.compare_levels import compare_levels
from aiida_ion.calculations.conductivity.fit_conductivity import fit_conductivity
from aiida_ion.calculations.diffusion import DiffusionCalculation, segment_key
from aiida_ion.calculations.trajectory_data import trajectory_node
from tests.conftest import OPTIONS

PARAMETERS = {"formula": "LiCl", "level_of_theory": "CHGNet", "reference_level_of_theory": "PBE"}
TEMPERATURES_K = (800.0, 1000.0, 1200.0)
#: Of the walks: the potential is too fast by a factor of three at every temperature, with the same barrier.
FACTOR = 3.0
BARRIER_EV = 0.3
SYMBOLS = ["Li"] * 4 + ["Cl"] * 4
KEYS = ("T_0800K_seed_1_segment_000", "T_0800K_seed_1_segment_001")
OSCILLATION_THZ = {"Li": 10.0, "Cl": 5.0}


def compare(settings: dict[str, Any] | None = None, **nodes: Any) -> orm.ArrayData:
    return compare_levels(parameters=orm.Dict(PARAMETERS | (settings or {})), **nodes)


def arrhenius(temperature_K: float) -> float:
    """Return D of the reference, cm^2/s."""
    return float(3e-5 * np.exp(-BARRIER_EV / 8.617333e-5 * (1 / temperature_K - 1 / 1000.0)))


@pytest.fixture
def levels(python_code: Any, walk: Callable[..., Any]) -> Callable[..., dict[str, orm.ArrayData]]:
    """Return a function that fits walks at some temperatures: the inputs of a comparison of one level."""

    def fits(prefix: str, level: str, diffusivities: dict[float, float]) -> dict[str, orm.ArrayData]:
        result = {}
        for number, (temperature, diffusivity) in enumerate(diffusivities.items()):
            seed = number + (100 if prefix else 0)
            parameters = {
                "mobile_species": "Li",
                "charges": {"Li": 1.0, "Cl": -1.0},
                "target_temperature_K": temperature,
                "level_of_theory": level,
                "formula": "LiCl",
                # The ions of the walk pass through each other.
                "limits": {"min_distance_ratio_warn": 0.0, "min_distance_ratio_fail": 0.0},
            }
            inputs = {
                "code": python_code("ion.diffusion"),
                "trajectories": {segment_key(0, 0): walk(diffusivity, seed=seed)},
                "parameters": orm.Dict(parameters),
            }
            result[f"T_{temperature:04.0f}K"] = run_get_node(DiffusionCalculation, **inputs)[1].outputs.diffusion
        sigma = fit_conductivity(parameters=orm.Dict({"target_temperature_K": 300.0}), **result)
        named = {f"{prefix}diffusion_{label}": node for label, node in result.items()}
        return named | {f"{prefix}conductivity": sigma}

    return fits


@pytest.mark.usefixtures("aiida_profile_clean")
def test_a_known_factor_between_two_levels_comes_back_at_every_temperature(levels: Any) -> None:
    reference = levels("reference_", "PBE", {t: arrhenius(t) for t in TEMPERATURES_K})
    fast = levels("", "CHGNet", {t: FACTOR * arrhenius(t) for t in TEMPERATURES_K})
    attributes = compare({"target_temperature_K": 300.0}, **fast, **reference).base.attributes.all
    assert [entry["temperature_K"] for entry in attributes["temperatures"]] == list(TEMPERATURES_K)
    for entry in attributes["temperatures"]:
        for name in ("tracer_diffusivity", "ionic_conductivity"):
            low, high = entry[f"{name}_ratio_ci95"]
            # Of so many 95 % intervals one in twenty misses, so there is a margin.
            assert low / 1.2 < FACTOR < 1.2 * high < 5 * low
        truth = arrhenius(entry["temperature_K"])
        low, high = entry["reference_tracer_diffusivity_ci95_cm2_s"]
        assert low / 1.2 < truth < 1.2 * high
        assert entry["tracer_diffusivity_ratio"] == pytest.approx(
            entry["tracer_diffusivity_cm2_s"] / entry["reference_tracer_diffusivity_cm2_s"], rel=0.05
        )
        assert entry["grade"] in ("A", "B")
    low, high = attributes["log10_tracer_diffusivity_bias_ci95"]
    assert low - 0.05 < np.log10(FACTOR) < high + 0.05
    assert attributes["log10_tracer_diffusivity_mae"] == pytest.approx(np.log10(FACTOR), abs=0.2)
    low, high = attributes["activation_energy_difference_ci95_eV"]
    assert low < 0.0 < high
    assert attributes["activation_energy_difference_eV"] == pytest.approx(
        attributes["activation_energy_eV"] - attributes["reference_activation_energy_eV"]
    )
    low, high = attributes["ionic_conductivity_ratio_ci95"]
    assert low / 1.2 < FACTOR < 1.2 * high
    assert attributes["ionic_conductivity_ratio"] == pytest.approx(
        attributes["ionic_conductivity_mS_cm"] / attributes["reference_ionic_conductivity_mS_cm"], rel=1e-3
    )
    assert attributes["log10_ionic_conductivity_difference"] == pytest.approx(
        np.log10(attributes["ionic_conductivity_ratio"])
    )
    assert attributes["summary"].startswith("LiCl, CHGNet against PBE: ionic conductivity at 300 K ")
    assert not [line for line in attributes["missing"] if "onductiv" in line or "iffusiv" in line]
    assert [line for line in attributes["missing"] if line.startswith("Forces and energies: CHGNet was not evaluated")]
    query = orm.QueryBuilder().append(
        orm.ArrayData, filters={"attributes.log10_tracer_diffusivity_bias": {">": 0.3}}, project="attributes.formula"
    )
    assert query.all(flat=True) == ["LiCl"]


@pytest.mark.usefixtures("aiida_profile_clean")
def test_where_one_level_did_not_move_there_is_a_bound_of_the_ratio(levels: Any) -> None:
    reference = levels("reference_", "PBE", {800.0: 1e-5, 1000.0: 1e-12})
    still = levels("", "CHGNet", {800.0: 1e-12, 900.0: 1e-5, 1000.0: 1e-12})
    attributes = compare(**still, **reference).base.attributes.all
    at = {entry["temperature_K"]: entry for entry in attributes["temperatures"]}
    bound = at[800.0]["tracer_diffusivity_upper_bound_cm2_s"]
    low, _ = at[800.0]["reference_tracer_diffusivity_ci95_cm2_s"]
    assert at[800.0]["tracer_diffusivity_ratio_upper_bound"] == pytest.approx(bound / low, rel=0.02)
    assert "tracer_diffusivity_ratio" not in at[800.0]
    assert "tracer_diffusivity_ratio_upper_bound" not in at[1000.0]
    assert at[1000.0]["reason"] == "both levels have only an upper bound, so nothing follows for the ratio"
    assert "reference_tracer_diffusivity_cm2_s" not in at[900.0]
    assert "Diffusivity at 900 K: there is none of PBE." in attributes["missing"]
    assert "ionic_conductivity_ratio" not in attributes
    assert "activation_energy_difference_eV" not in attributes
    assert attributes["ionic_conductivity_upper_bound_mS_cm"] > 0
    missing = "\n".join(attributes["missing"])
    assert "Activation energy: not known of PBE. Diffusion was detected at 1 different temperatures" in missing
    assert "Ratio of the conductivities: both levels have only an upper bound" in missing


def said_by(**attributes: Any) -> orm.ArrayData:
    """Return a result as an archive of other people may hold it: attributes, and no draws."""
    node = orm.ArrayData()
    node.base.attributes.set_many(attributes)
    return node


def test_a_conductivity_at_another_temperature_is_not_compared(aiida_profile_clean: Any) -> None:
    common = {"verdict": "measured", "ionic_conductivity_mS_cm": 1.0, "ionic_conductivity_ci95_mS_cm": [0.5, 2.0]}
    energy = {"activation_energy_eV": 0.3, "activation_energy_ci95_eV": [0.25, 0.35]}
    attributes = compare(
        {"target_temperature_K": 300.0},
        conductivity=said_by(**common, **energy, target_temperature_K=350.0),
        reference_conductivity=said_by(**common, **energy, target_temperature_K=300.0),
    ).base.attributes.all
    assert "Conductivity: that of CHGNet is at 350 K, not 300 K." in attributes["missing"]
    assert "ionic_conductivity_mS_cm" not in attributes
    assert attributes["reference_ionic_conductivity_mS_cm"] == 1.0
    assert "ionic_conductivity_ratio" not in attributes
    assert attributes["activation_energy_difference_eV"] == 0.0
    assert attributes["activation_energy_difference_ci95_eV"] == pytest.approx([-0.0707, 0.0707], abs=1e-4)


def test_a_fit_that_contradicts_itself_is_not_compared(aiida_profile_clean: Any) -> None:
    common = {"verdict": "moved", "target_temperature_K": 800.0, "temperature_K": 800.0}
    common |= {"tracer_diffusivity_cm2_s": 1e-5, "tracer_diffusivity_ci95_cm2_s": [5e-6, 2e-5]}
    fits = {
        "reference_diffusion_T_0800K": said_by(**common),
        "diffusion_T_0800K": said_by(**common, fit_consistent=False),
    }
    attributes = compare(**fits).base.attributes.all
    assert "tracer_diffusivity_ratio" not in attributes["temperatures"][0]
    assert attributes["temperatures"][0]["tracer_diffusivity_cm2_s"] == 1e-5
    assert (
        "Diffusivity at 800 K: the fits of CHGNet disagree with each other, so it is not compared."
        in attributes["missing"]
    )
    assert "log10_tracer_diffusivity_bias" not in attributes


def test_nothing_comes_from_nothing(aiida_profile_clean: Any) -> None:
    node = compare(reference_cost=orm.Dict({"wall_time_s": 10.0, "n_steps": 5}))
    attributes = node.base.attributes.all
    assert attributes["reference_wall_s_per_step"] == 2.0
    assert {key for key in attributes if "ratio" in key or "force" in key or "distance" in key} == set()
    assert attributes["missing"] == [
        "Conductivity and activation energy: there is none of CHGNet.",
        "Conductivity and activation energy: there is none of PBE.",
        "Diffusivities: there is none of either level.",
        "Forces and energies: CHGNet was not evaluated on frames of PBE.",
        "Structure and vibrations: there is no trajectory of CHGNet.",
        "Cost: it is not known of CHGNet.",
    ]
    assert attributes["summary"] == "LiCl, CHGNet against PBE: nothing can be compared."
    assert node.creator.process_type == "aiida.calculations:ion.compare_levels"


def test_speeds_come_from_the_ledgers(aiida_profile_clean: Any) -> None:
    slow = {"wall_time_s": 800.0, "cpu_time_s": 6400.0, "gpu_time_s": 0.0, "n_steps": 100, "peak_memory_MiB": 900.0}
    fast = {"wall_time_s": 10.0, "cpu_time_s": 9.0, "gpu_time_s": 8.0, "n_steps": 1000, "hardware": ["H200"]}
    attributes = compare(cost=orm.Dict(fast), reference_cost=orm.Dict(slow)).base.attributes.all
    assert attributes["wall_speed_ratio"] == pytest.approx(800.0)
    assert attributes["core_speed_ratio"] == pytest.approx(64.0 / 0.009)
    assert (attributes["steps_per_s"], attributes["reference_steps_per_s"]) == pytest.approx((100.0, 0.125))
    assert (attributes["gpu_time_s"], attributes["reference_peak_memory_MiB"]) == (8.0, 900.0)
    assert "a step takes 800 times less wall time" in attributes["summary"]


def segment(
    key: str,
    *,
    symbols: list[str] = SYMBOLS,
    n_frames: int = 400,
    rattle_A: float = 0.1,
    scale: float = 1.0,
    **extra: Any,
) -> orm.TrajectoryData:
    """Return a segment of an oscillating rock salt: forces, and velocities of known frequencies, 2 fs apart."""
    number = KEYS.index(key)
    rng = np.random.default_rng(number)
    atoms = bulk("LiCl", "rocksalt", a=5.13, cubic=True)
    order = np.argsort([0 if symbol == "Li" else 1 for symbol in atoms.get_chemical_symbols()], kind="stable")
    steps = np.arange(n_frames) + number * n_frames
    omega = 2 * np.pi * np.array([OSCILLATION_THZ[symbol] for symbol in symbols])[:, None] * scale
    phase = np.random.default_rng(5).uniform(0, 2 * np.pi, (len(symbols), 3))
    angle = omega * steps[:, None, None] * 0.002 + phase
    arrays = {
        "forces": rng.normal(0.0, 1.0, (n_frames, len(symbols), 3)).astype("f4"),
        "velocities": np.cos(angle).astype("f4"),
    }
    node = trajectory_node(
        symbols,
        steps,
        (atoms.positions[order] + rattle_A * np.sin(angle)).astype("f4"),
        atoms.cell.array,
        timestep_fs=2.0,
        extra={name: array for name, array in arrays.items() if name not in extra.get("without", ())},
    )
    node.base.attributes.set_many({"target_temperature_K": 800.0, "seed": 1})
    return node


def evaluated(reference: dict[str, orm.TrajectoryData], noise_eV_A: float, every: int = 10) -> dict[str, Any]:
    """Return forces and energies of a potential on frames of the reference, and the reference's energies."""
    rng = np.random.default_rng(9)
    frames = np.arange(0, 400, every)
    segments = np.repeat(np.arange(len(reference)), len(frames))
    frames = np.tile(frames, len(reference))
    pairs = [(reference[KEYS[s]], f) for s, f in zip(segments, frames, strict=True)]
    exact = np.array([node.get_array("forces")[f] for node, f in pairs])
    steps = np.array([node.get_array("steps")[f] for node, f in pairs])
    forces = orm.ArrayData()
    forces.set_array("forces", exact + rng.normal(0.0, noise_eV_A, exact.shape))
    forces.set_array("energies", -40.0 + 0.1 * np.sin(steps) + rng.normal(0.0, 0.008, len(steps)))
    forces.set_array("steps", steps)
    forces.set_array("segment", segments)
    forces.set_array("frames", frames)
    forces.base.attributes.set_many({"segments": list(reference), "symbols": SYMBOLS})
    nodes: dict[str, Any] = {"forces": forces}
    for key, node in reference.items():
        thermo = orm.ArrayData()
        thermo.set_array("steps", node.get_array("steps"))
        thermo.set_array("potential_energy", -56.0 + 0.1 * np.sin(node.get_array("steps")))
        nodes[f"reference_thermo_{key}"] = thermo
    return nodes


def trajectories(prefix: str = "", **change: Any) -> dict[str, orm.TrajectoryData]:
    return {f"{prefix}trajectory_{key}": segment(key, **change) for key in KEYS}


def test_known_errors_of_forces_and_energies_come_back(aiida_profile_clean: Any) -> None:
    reference = {key: segment(key) for key in KEYS}
    nodes = evaluated(reference, 0.05)
    node = compare(**nodes, **{f"reference_trajectory_{key}": value for key, value in reference.items()})
    attributes = node.base.attributes.all
    assert attributes["force_rmse_eV_A"] == pytest.approx(0.05, rel=0.05)
    assert attributes["force_mae_eV_A"] == pytest.approx(0.05 * np.sqrt(2 / np.pi), rel=0.05)
    low, high = attributes["force_mae_ci95_eV_A"]
    assert low < attributes["force_mae_eV_A"] < high
    assert attributes["force_mae_by_element_eV_A"] == pytest.approx({"Li": 0.04, "Cl": 0.04}, rel=0.1)
    assert attributes["reference_force_rms_eV_A"] == pytest.approx(1.0, rel=0.05)
    assert attributes["force_cosine_similarity"] > 0.99
    assert attributes["force_n_frames"] == attributes["energy_n_frames"] == 80
    assert attributes["energy_offset_eV_atom"] == pytest.approx(2.0, abs=1e-3)
    assert attributes["energy_rmse_eV_atom"] == pytest.approx(0.001, rel=0.2)
    assert "forces off by 0.040 eV/angstrom on 80 frames (RMSE 5% of their size)" in attributes["summary"]
    one, two = node.get_array("parity_reference_forces_eV_A"), node.get_array("parity_forces_eV_A")
    assert (one - two).std() == pytest.approx(0.05, rel=0.1)
    assert node.get_array("parity_elements").tolist()[:4] == [attributes["elements"].index("Li")] * 4


def test_a_plot_gets_no_more_forces_than_it_can_show(aiida_profile_clean: Any) -> None:
    reference = {key: segment(key) for key in KEYS}
    nodes = evaluated(reference, 0.05, every=1)
    nodes |= {f"reference_trajectory_{key}": value for key, value in reference.items()}
    node = compare(**nodes)
    shown = node.get_array("parity_forces_eV_A")
    assert (shown.dtype, len(shown)) == (np.dtype("float32"), 19200)
    nodes = evaluated(reference, 0.05, every=1) | {
        f"reference_trajectory_{key}": value for key, value in reference.items()
    }
    nodes["forces"] = with_arrays(nodes["forces"], repeats=3)
    node = compare(**nodes)
    assert 10000 < len(node.get_array("parity_forces_eV_A")) <= 20000
    # Every atom and direction is met: the stride has nothing in common with the number of components of a frame.
    assert np.gcd(node.base.attributes.get("parity_stride"), 24) == 1


def with_arrays(node: orm.ArrayData, repeats: int = 1, **change: Any) -> orm.ArrayData:
    copy = orm.ArrayData()
    for name in node.get_arraynames():
        copy.set_array(name, change.get(name, np.concatenate([node.get_array(name)] * repeats)))
    copy.base.attributes.set_many({"segments": node.base.attributes.get("segments"), "symbols": SYMBOLS})
    return copy


def test_frames_that_do_not_belong_together_are_refused(aiida_profile_clean: Any) -> None:
    reference = {key: segment(key) for key in KEYS}
    nodes = evaluated(reference, 0.05)
    named = {f"reference_trajectory_{key}": value for key, value in reference.items()}

    def lacking(**change: Any) -> str:
        attributes = compare(**(nodes | named | change)).base.attributes.all
        assert "force_mae_eV_A" not in attributes
        return next(line for line in attributes["missing"] if line.startswith("Forces"))

    swapped = trajectories(symbols=["Cl"] * 4 + ["Li"] * 4)
    assert lacking(**swapped) == (
        "Forces and energies: the trajectories of the two levels order their atoms differently; run both from the same "
        "structure."
    )
    late = with_arrays(nodes["forces"], steps=nodes["forces"].get_array("steps") + 1)
    assert "the frames of the segment T_0800K_seed_1_segment_000 are not those that were evaluated" in lacking(
        forces=late
    )
    bare = {f"reference_trajectory_{key}": segment(key, without=("forces",)) for key in KEYS}
    assert "keeps no forces; run it with 'keep: [forces]'" in lacking(**bare)
    exploded = with_arrays(nodes["forces"], forces=np.full_like(nodes["forces"].get_array("forces"), np.nan))
    assert lacking(forces=exploded) == "Forces: those of 80 of 80 frames are not finite and left out."
    del named[f"reference_trajectory_{KEYS[1]}"]
    assert "the segment T_0800K_seed_1_segment_001 of the reference is not there" in lacking()


def test_energies_need_frames_of_both_levels(aiida_profile_clean: Any) -> None:
    reference = {key: segment(key) for key in KEYS}
    nodes = evaluated(reference, 0.05)
    named = {f"reference_trajectory_{key}": value for key, value in reference.items()}
    attributes = compare(forces=nodes["forces"], **named).base.attributes.all
    assert "force_mae_eV_A" in attributes
    assert "energy_mae_eV_atom" not in attributes
    assert "Energies: there are none of the same frames at both levels." in attributes["missing"]


def test_the_same_dynamics_are_not_apart(aiida_profile_clean: Any) -> None:
    node = compare({"equilibration_fs": 100.0}, **trajectories(), **trajectories("reference_"))
    attributes = node.base.attributes.all
    assert attributes["rdf_distance"] == 0.0
    assert attributes["rdf_distance_by_pair"] == {"Cl-Cl": 0.0, "Cl-Li": 0.0, "Li-Li": 0.0}
    assert 0.0 < attributes["rdf_distance_of_reference_halves"] < 0.2
    assert attributes["rdf_n_frames"] == [200]
    assert attributes["vdos_distance"] == 0.0
    assert attributes["reference_vdos_nyquist_THz"] == pytest.approx(250.0)
    assert attributes["structure_temperatures_K"] == [800.0]
    assert node.get_shape("rdf") == node.get_shape("reference_rdf") == (1, 3, len(node.get_array("rdf_r_A")))
    nearest = node.get_array("rdf_r_A")[np.argmax(node.get_array("rdf")[0, 1])]
    assert attributes["rdf_pairs"][1] == "Cl-Li"
    assert nearest == pytest.approx(5.13 / 2, abs=0.2)
    frequency, density = node.get_array("vdos_frequency_THz"), node.get_array("vdos_1_THz")[0]
    peaks = [frequency[part][np.argmax(density[part])] for part in (frequency < 7.5, frequency > 7.5)]
    assert peaks == pytest.approx([5.0, 10.0], abs=0.1)


def test_other_dynamics_are_apart(aiida_profile_clean: Any) -> None:
    soft = trajectories(rattle_A=0.25, scale=3.0)
    attributes = compare({"max_rdf_frames": 20}, **soft, **trajectories("reference_")).base.attributes.all
    assert attributes["rdf_distance"] > 0.1 > attributes["rdf_distance_of_reference_halves"] / 3
    assert attributes["rdf_n_frames"] == attributes["reference_rdf_n_frames"] == [20]
    assert attributes["vdos_distance"] == pytest.approx(1.0, abs=0.02)


def test_trajectories_that_cannot_be_compared_say_why(aiida_profile_clean: Any) -> None:
    def lacking(**nodes: Any) -> list[str]:
        attributes = compare(**nodes).base.attributes.all
        return [line for line in attributes["missing"] if line.startswith(("Structure", "Vibrations"))]

    reference = trajectories("reference_")
    assert lacking(**reference) == ["Structure and vibrations: there is no trajectory of CHGNet."]
    other = trajectories()
    for node in other.values():
        node.base.attributes.set("target_temperature_K", 900.0)
    assert lacking(**other, **reference) == ["Structure and vibrations: the two levels have no temperature in common."]
    mute = trajectories(without=("velocities",))
    assert lacking(**mute, **reference) == ["Vibrations: CHGNet keeps no velocities; run it with 'keep: [velocities]'."]
    short = {f"reference_trajectory_{KEYS[0]}": segment(KEYS[0], n_frames=100)}
    assert lacking(**trajectories(), **short) == [
        "Vibrations: PBE: the longest run has 0.2 ps of velocities; 1 ps are needed to resolve 1 THz."
    ]
    sodium = trajectories(symbols=["Li"] * 8)
    assert lacking(**sodium, **reference) == [
        "Structure and vibrations: the trajectories of the two levels hold different elements."
    ]


@pytest.mark.usefixtures("aiida_profile_clean")
def test_real_jobs_of_a_potential_and_a_softer_one(python_code: Any, argon: orm.StructureData) -> None:
    """Lennard-Jones argon with a shallower well: every force is smaller by the same factor."""
    depth_eV = {"": 0.0090, "reference_": 0.01032}
    settings = {"temperature_K": 60.0, "timestep_fs": 4.0, "n_steps": 600, "sample_every": 5, "seed": 7}
    common = {"metadata": {"options": OPTIONS}}
    nodes: dict[str, Any] = {}
    for prefix, depth in depth_eV.items():
        potential = orm.Dict({"name": "lj", "kwargs": {"sigma": 3.405, "epsilon": depth, "rc": 8.5125}})
        inputs = {"structure": argon, "potential": potential, "code": python_code("ion.mlip_md")}
        inputs["parameters"] = orm.Dict(settings | {"keep": ["velocities", "forces"], "equilibration_fs": 1000.0})
        run = run_get_node(CalculationFactory("ion.mlip_md"), **inputs, **common)[1].outputs
        nodes |= {f"{prefix}trajectory_T_0060K": run.trajectory, f"{prefix}cost": run.cost}
        nodes |= {f"{prefix}thermo_T_0060K": run.thermo} if prefix else {"potential": potential}
    inputs = {"code": python_code("ion.forces"), "potential": nodes.pop("potential")}
    inputs["trajectories"] = {"T_0060K": nodes["reference_trajectory_T_0060K"]}
    inputs["parameters"] = orm.Dict({"max_frames": 20, "equilibration_fs": 1000.0})
    nodes["forces"] = run_get_node(CalculationFactory("ion.forces"), **inputs, **common)[1].outputs.forces
    attributes = compare({"formula": "Ar", "equilibration_fs": 1000.0}, **nodes).base.attributes.all
    factor = depth_eV[""] / depth_eV["reference_"]
    assert attributes["force_slope"] == pytest.approx(factor, rel=1e-4)
    assert attributes["force_rmse_eV_A"] == pytest.approx(
        (1 - factor) * attributes["reference_force_rms_eV_A"], rel=1e-4
    )
    assert attributes["force_cosine_similarity"] == pytest.approx(1.0, abs=1e-5)
    assert attributes["energy_correlation"] == pytest.approx(1.0, abs=1e-5)
    assert (attributes["force_n_frames"], attributes["energy_n_frames"]) == (20, 20)
    assert 0.0 < attributes["rdf_distance"] < 0.2
    assert 0.0 < attributes["vdos_distance"] < 0.3
    assert attributes["reference_vdos_nyquist_THz"] == pytest.approx(25.0)
    assert attributes["wall_speed_ratio"] == pytest.approx(
        attributes["reference_wall_s_per_step"] / attributes["wall_s_per_step"]
    )
