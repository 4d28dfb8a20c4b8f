"""Trajectories in which more than one species moves."""

import numpy as np
import pytest

from aiida_ion.analysis.diffusion.analyse import DiffusionSettings, Segment, analyse_diffusion
from aiida_ion.units import CM2_S_PER_A2_PS
from benchmarks import walkers
from tests.analysis.synthetic import CUBIC, GHOSTS

FRAME_PS = walkers.FRAME_PS
CHARGES = {"Li": 1.0, "Na": 1.0, "O": -2.0, "Zr": 4.0, "Cl": -1.0, "F": -1.0}


def conductor(species, seed=3, n_frames=800, drift_A=0.0, rattle_A=0.15):
    """Ions on a lattice with hops: element -> (number, tracer diffusivity in angstrom^2/ps); all drift along x."""
    generator = np.random.default_rng(seed)
    total = sum(number for number, _ in species.values())
    side = int(np.ceil(total ** (1 / 3)))
    grid = np.stack(np.meshgrid(*[(np.arange(side) + 0.5) / side] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    sites = generator.permutation(grid)[:total] @ CUBIC
    steps = [walkers.hopping(generator, n_frames, number, diffusivity_A2_ps=d) for number, d in species.values()]
    walks = np.concatenate(steps, axis=1)
    walks[0] = 0.0
    positions = sites + np.cumsum(walks, axis=0) + generator.normal(0.0, rattle_A, walks.shape)
    positions[..., 0] += np.linspace(0.0, drift_A, n_frames)[:, None]
    return positions, [element for element, (number, _) in species.items() for _ in range(number)]


def analyse(positions, symbols, mobile="Li", charges=None, **settings):
    chosen = DiffusionSettings(**({"collective": False, "limits": GHOSTS} | settings))
    segment = Segment(positions, np.arange(len(positions)) * FRAME_PS, CUBIC)
    given = {element: CHARGES[element] for element in symbols} if charges is None else charges
    return analyse_diffusion([[segment]], symbols, mobile, given, 800.0, settings=chosen)


def rows(result):
    return {row["element"]: row for row in result.species}


def covers(interval, value):
    return interval[0] <= value <= interval[1]


TWO = {"Li": (40, 0.1), "Na": (24, 0.08), "O": (32, 0.0)}


@pytest.fixture(scope="module")
def two_cations():
    return analyse(*conductor(TWO, drift_A=30.0))


def test_a_superionic_with_two_mobile_cations_is_no_melt(two_cations):
    result = two_cations
    assert result.verdict == "moved" and result.refused_because is None and result.grade in "AB"
    assert result.framework_species == ["O"] and result.other_mobile_species == ["Na"]
    assert result.moved_species == ["Li", "Na"]
    assert "Na" in result.framework_reason and "O" in result.framework_reason
    assert any("Na diffused too" in warning and "Li alone" in warning for warning in result.warnings)


def test_each_species_has_its_own_diffusivity(two_cations):
    records = rows(two_cations)
    assert {element: row["role"] for element, row in records.items()} == {
        "Li": "mobile",
        "Na": "also mobile",
        "O": "framework",
    }
    for element, (number, truth) in TWO.items():
        row = records[element]
        assert row["n_ions"] == number
        if truth:
            assert row["tracer_diffusivity_cm2_s"] == pytest.approx(truth * CM2_S_PER_A2_PS, rel=0.35)
            assert covers(row["tracer_diffusivity_ci95_cm2_s"], row["tracer_diffusivity_cm2_s"])
            # A hop that is smoothed is passed in two steps of half a jump, and may count twice.
            assert 0.7 < row["n_hops"] / (number * 6.0 * truth * 80.0 / 9.0) < 2.2
            assert row["verdict"] == "moved" and row["tracer_diffusivity_upper_bound_cm2_s"] is None
        else:
            assert row["verdict"] == "bound" and row["n_hops"] == 0
            assert row["tracer_diffusivity_cm2_s"] is None and row["tracer_diffusivity_upper_bound_cm2_s"] > 0
    assert records["Li"]["tracer_diffusivity_cm2_s"] == two_cations.tracer_diffusivity_cm2_s


def test_the_total_conductivity_is_that_of_both(two_cations):
    records = rows(two_cations)
    total = two_cations.all_species_ionic_conductivity_mS_cm
    assert two_cations.all_species_ionic_conductivity_species == ["Li", "Na"]
    assert total == pytest.approx(sum(records[each]["ionic_conductivity_mS_cm"] for each in ("Li", "Na")))
    assert two_cations.ionic_conductivity_mS_cm == records["Li"]["ionic_conductivity_mS_cm"] < total
    low, high = two_cations.all_species_ionic_conductivity_ci95_mS_cm
    assert low < total < high
    widths = [np.ptp(records[each]["ionic_conductivity_ci95_mS_cm"]) for each in ("Li", "Na")]
    assert high - low == pytest.approx(np.hypot(*widths), rel=0.15)
    assert set(two_cations.arrays()) >= {"tracer_diffusivity_samples_of_Na_cm2_s"}


def test_either_cation_can_be_the_one_that_is_analysed(two_cations):
    other = analyse(*conductor(TWO, drift_A=30.0), mobile="Na")
    assert other.other_mobile_species == ["Li"] and other.framework_species == ["O"]
    assert other.tracer_diffusivity_cm2_s == pytest.approx(rows(two_cations)["Na"]["tracer_diffusivity_cm2_s"])
    assert other.all_species_ionic_conductivity_mS_cm == pytest.approx(two_cations.all_species_ionic_conductivity_mS_cm)


def test_drift_is_that_of_the_true_framework(two_cations):
    still = analyse(*conductor(TWO))
    assert two_cations.drift_A == pytest.approx(30.0, abs=0.3)
    assert still.drift_A < 0.3
    assert two_cations.tracer_diffusivity_cm2_s == pytest.approx(still.tracer_diffusivity_cm2_s, rel=1e-3)


def test_the_haven_ratio_of_independent_ions_of_two_species_is_one():
    result = analyse(*conductor(TWO), collective=True)
    assert result.collective_frame == "centre_of_charge"
    assert covers(result.haven_ratio_ci95, 1.0)
    total, collective = result.all_species_ionic_conductivity_mS_cm, result.collective_ionic_conductivity_mS_cm
    assert result.haven_ratio == pytest.approx(total / collective, rel=0.1)


def test_a_melt_in_which_the_anion_moves_too_is_molten():
    result = analyse(*conductor({"Li": (40, 0.1), "Na": (24, 0.1), "O": (32, 0.1)}))
    assert result.refused_because and "O in the framework" in result.refused_because
    assert result.grade == "D"
    assert result.moved_species == ["Li", "Na", "O"]


def test_a_heavy_element_of_the_framework_that_drifts_slowly_is_a_melt():
    result = analyse(*conductor({"Li": (40, 0.1), "Na": (24, 0.1), "O": (32, 0.0), "Zr": (16, 0.02)}))
    assert result.refused_because and "Zr in the framework" in result.refused_because
    assert result.framework_species == ["O", "Zr"] and result.other_mobile_species == ["Na"]
    assert any("framework_species" in warning for warning in result.warnings)


def test_anions_that_leave_their_sites_beside_a_mobile_cation_are_a_melt_unless_the_framework_is_named():
    crystal = conductor({"Li": (40, 0.1), "Cl": (24, 0.1), "O": (32, 0.0)})
    assert "Cl in the framework" in analyse(*crystal).refused_because
    named = analyse(*crystal, framework_species=["O"])
    assert named.refused_because is None and named.other_mobile_species == ["Cl"]
    assert "was given" in named.framework_reason
    assert covers(rows(named)["Cl"]["tracer_diffusivity_ci95_cm2_s"], 0.1 * CM2_S_PER_A2_PS)


def test_two_anions_can_both_be_mobile():
    result = analyse(*conductor({"F": (40, 0.1), "Cl": (24, 0.06), "Zr": (16, 0.0)}), mobile="F")
    assert result.refused_because is None and result.other_mobile_species == ["Cl"]


def test_a_named_framework_is_judged_even_where_its_ions_are_usually_mobile():
    result = analyse(*conductor(TWO), framework_species=["Na", "O"])
    assert "Na in the framework" in result.refused_because


@pytest.mark.parametrize(
    ("framework", "words"),
    [(["Li", "O"], "the mobile species"), (["O", "S"], "names S; the crystal contains Li, Na, O")],
)
def test_a_framework_that_cannot_be_is_refused(framework, words):
    with pytest.raises(ValueError, match=words):
        analyse(*conductor(TWO, n_frames=60), framework_species=framework)


@pytest.mark.parametrize("value", ["O", [], ["O", "O"], [1], [""]])
def test_a_framework_must_be_a_list_of_elements(value):
    with pytest.raises(ValueError, match="framework_species must be a list of symbols of elements"):
        DiffusionSettings.from_dict({"framework_species": value})


def test_cations_that_stay_are_part_of_the_framework():
    result = analyse(*conductor({"Li": (40, 0.1), "Na": (24, 0.0), "O": (32, 0.0)}))
    assert result.framework_species == ["Na", "O"] and result.other_mobile_species == []
    assert result.framework_reason is None
    assert result.all_species_ionic_conductivity_mS_cm == pytest.approx(result.ionic_conductivity_mS_cm)


def test_a_few_hops_of_another_cation_are_counted_and_bound_its_diffusivity():
    result = analyse(*conductor({"Li": (40, 0.1), "Na": (24, 0.004), "O": (32, 0.0)}))
    assert result.refused_because is None and result.other_mobile_species == ["Na"]
    sodium = rows(result)["Na"]
    assert sodium["verdict"] == "bound" and 0 < sodium["n_hops"] < 10
    assert sodium["tracer_diffusivity_upper_bound_cm2_s"] > 0.004 * CM2_S_PER_A2_PS
    assert result.all_species_ionic_conductivity_species == ["Li"]
    assert result.all_species_ionic_conductivity_ci95_mS_cm[1] > result.ionic_conductivity_ci95_mS_cm[1]


def test_where_only_the_other_cation_moves_the_total_says_so():
    result = analyse(*conductor({"Li": (40, 0.0), "Na": (24, 0.1), "O": (32, 0.0)}))
    assert result.verdict == "bound" and result.ionic_conductivity_mS_cm is None
    assert result.moved_species == ["Na"] and result.all_species_ionic_conductivity_species == ["Na"]
    assert result.all_species_ionic_conductivity_mS_cm == pytest.approx(rows(result)["Na"]["ionic_conductivity_mS_cm"])


def test_where_nothing_moves_the_bounds_add_up():
    result = analyse(*conductor({"Li": (40, 0.0), "O": (32, 0.0)}))
    assert result.moved_species == [] and result.all_species_ionic_conductivity_mS_cm is None
    bound = result.all_species_ionic_conductivity_upper_bound_mS_cm
    assert bound == pytest.approx(result.ionic_conductivity_upper_bound_mS_cm)


def test_without_a_charge_there_is_no_total():
    result = analyse(*conductor(TWO), charges={"Li": 1.0})
    assert result.all_species_ionic_conductivity_mS_cm is None and "Na" in result.all_species_ionic_conductivity_reason
    assert rows(result)["Na"]["tracer_diffusivity_cm2_s"] > 0 and rows(result)["Na"]["ionic_conductivity_mS_cm"] is None
