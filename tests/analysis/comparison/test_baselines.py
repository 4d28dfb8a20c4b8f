import numpy as np
import pytest

from aiida_ion.analysis.comparison.baselines import (
    FOREST,
    IN_SAMPLE_MEDIAN,
    LEAVE_ONE_OUT_MEDIAN,
    Value,
    compare_methods,
    constant_predictions,
    error,
    score,
    verdict_sentences,
)
from aiida_ion.analysis.comparison.composition_forest import composition_features, forest_of_others, forest_predictions

#: Experiment, S/cm: 21 materials of OBELiX (CC BY 4.0); Li4P2O7 is known to be below 1e-10 only.
MEASURED_S_CM = {
    "Li2BaP2O7": 1.59881e-17,
    "Li6CuB4O10": 1e-13,
    "Li4GeO4": 1.3e-12,
    "Li4P2O7": 1e-10,
    "Li3BN2 alpha": 1.6e-10,
    "Li2ZrO3": 6.1e-10,
    "LiZr2P3O12": 1e-9,
    "LiVO3": 2.05e-9,
    "Li5GaO4": 5e-9,
    "LiYO2": 1.8e-8,
    "LiBiO2": 3.8e-8,
    "Li3BN2 beta": 8.7e-8,
    "Li3PS4": 2.6e-7,
    "Li7La3Hf2O12": 9.85e-7,
    "Li7La3Zr2O12": 1.63e-6,
    "LiGaBr4": 7e-6,
    "Li4SnSe4": 2e-5,
    "LiTi2P3O12": 7.2e-5,
    "Li3N beta": 2.085e-4,
    "Li3N alpha": 5.767e-4,
    "Li7P3S11": 3.2e-3,
}
FORMULAS = [name.split()[0] for name in MEASURED_S_CM]
LOG10 = [Value(float(np.log10(value))) for value in MEASURED_S_CM.values()]


def by_name(scores):
    return {entry.name: entry for entry in scores}


def test_the_constant_of_the_benchmark_paper_is_better_than_its_methods():
    """2.65 in the sample and 2.81 leaving each out: the paper's methods have 4.1."""
    assert len(LOG10) == 21
    offsets = np.where(np.arange(21) % 2, 4.1, -4.1)
    scores = by_name(
        compare_methods(LOG10, FORMULAS, {"MACE": [Value(v.value + o) for v, o in zip(LOG10, offsets, strict=True)]})
    )
    assert round(scores[IN_SAMPLE_MEDIAN].mae, 2) == 2.65
    assert round(scores[LEAVE_ONE_OUT_MEDIAN].mae, 2) == 2.81
    assert scores["MACE"].n == 21
    (sentence,) = verdict_sentences(list(scores.values()), "decades")
    assert sentence == (
        "MACE does not beat a constant: mean absolute error 4.1 against 2.81 decades over 21 materials."
    )


def test_a_method_that_beats_the_constant_is_said_to():
    near = [Value(v.value + 0.5, ci95=(v.value - 0.1, v.value + 1.0)) for v in LOG10]
    scores = compare_methods(LOG10, FORMULAS, {"good": near})
    assert verdict_sentences(scores, "decades")[0].startswith("good beats a constant: mean absolute error 0.5 ")
    good = by_name(scores)["good"]
    assert (good.mae, good.bias) == (pytest.approx(0.5), pytest.approx(0.5))
    assert good.spearman == good.kendall == pytest.approx(1.0)
    assert good.coverage == 1.0
    assert by_name(scores)[IN_SAMPLE_MEDIAN].spearman is None


def test_bounds_that_hold_are_no_errors():
    assert error(Value(-12.0), Value(-10.0, is_bound=True)) == 0.0
    assert error(Value(-8.0), Value(-10.0, is_bound=True)) == 2.0
    assert error(Value(-8.0, is_bound=True), Value(-9.0)) == 0.0
    assert error(Value(-8.0, is_bound=True), Value(-7.0)) == -1.0
    assert error(Value(-3.0, is_bound=True), Value(-10.0, is_bound=True)) == 0.0
    assert error(Value(-3.0), Value(-5.0)) == 2.0
    result = score("x", [Value(-12.0), Value(-5.0)], [Value(-10.0, is_bound=True), Value(-4.0, ci95=None)])
    assert (result.mae, result.rmse, result.n, result.n_bounds) == (0.5, pytest.approx(np.sqrt(0.5)), 2, 1)
    assert result.coverage is None
    with pytest.raises(ValueError, match="no material"):
        score("x", [], [])


def test_all_are_scored_on_the_materials_that_all_have():
    some = [value if index < 5 else None for index, value in enumerate(LOG10)]
    scores = compare_methods(LOG10, FORMULAS, {"all": LOG10, "some": some})
    assert {entry.n for entry in scores} == {5}
    assert FOREST not in by_name(scores)
    assert compare_methods(LOG10[:2], FORMULAS[:2], {"x": LOG10[:2]}) == []
    with pytest.raises(ValueError, match="same length"):
        compare_methods(LOG10, FORMULAS[:3], {"x": LOG10})


def test_medians():
    values = [Value(v) for v in (1.0, 2.0, 10.0)]
    assert constant_predictions(values).tolist() == [6.0, 5.5, 1.5]
    assert constant_predictions(values, leave_one_out=False).tolist() == [2.0, 2.0, 2.0]
    with pytest.raises(ValueError, match="at least two"):
        constant_predictions(values[:1])


def test_features_are_fractions_and_statistics():
    features = composition_features(["LiF", "Li3N"])
    assert features.shape == (2, 3 + 6 * 4)
    assert features[0, :3].tolist() == [0.5, 0.0, 0.5]  # Li, N, F
    assert features[:, :3].sum(axis=1) == pytest.approx([1.0, 1.0])


def test_the_forest_learns_what_the_anion_decides_and_never_saw_the_material():
    anions, cations = {"S": -4.0, "O": -9.0}, ("Ge", "Sn", "P", "Si", "Al", "Zr", "Ti", "La")
    formulas = [f"Li3{cation}{anion}4" for anion in anions for cation in cations]
    values = np.array([level for level in anions.values() for _ in cations])
    learnt = forest_predictions(formulas, values)
    assert np.abs(learnt - values).mean() < 1.0
    assert forest_predictions(formulas, values).tolist() == learnt.tolist()
    odd = values.copy()
    odd[0] += 50.0
    assert forest_predictions(formulas, odd)[0] == pytest.approx(learnt[0], abs=1e-9)


def test_baselines_hold_a_forest_from_eight_materials_on():
    assert FOREST not in by_name(compare_methods(LOG10[:7], FORMULAS[:7], {"x": LOG10[:7]}))
    result = by_name(compare_methods(LOG10[:8], FORMULAS[:8], {"x": LOG10[:8]}))[FOREST]
    assert result.is_baseline
    assert result.mae > 0.1


def test_a_forest_may_learn_from_other_materials():
    anions, cations = {"S": -4.0, "O": -9.0}, ("Ge", "Sn", "P", "Si", "Al", "Zr", "Ti", "La")
    known = [f"Li3{cation}{anion}4" for anion in anions for cation in cations]
    values = np.array([level for level in anions.values() for _ in cations])
    learnt = forest_of_others(["Li3BS4", "Li3BO4"], known, values)
    assert learnt == pytest.approx([-4.0, -9.0], abs=1.5)


def test_further_baselines_stand_on_the_same_materials():
    some = [value if index < 5 else None for index, value in enumerate(LOG10)]
    exact = [value.value for value in LOG10]
    result = by_name(compare_methods(LOG10, FORMULAS, {"some": some}, {"exact": exact}))["exact"]
    assert (result.n, result.mae, result.is_baseline) == (5, 0.0, True)
    with pytest.raises(ValueError, match="same length"):
        compare_methods(LOG10, FORMULAS, {"some": some}, {"exact": exact[:3]})
