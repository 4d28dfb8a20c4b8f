"""Protocols, potentials and thresholds of the pages are those of the code."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from typing import Any

import pytest

from aiida_ion.analysis.checks.limits import CheckLimits
from aiida_ion.analysis.diffusion.settings import DiffusionSettings
from aiida_ion.analysis.jumps.settings import JumpSettings
from aiida_ion.lammps.potentials import POTENTIALS
from aiida_ion.settings.schema import rules_of
from aiida_ion.training.families import FAMILIES
from aiida_ion.workchains.protocols import load_protocols, protocol_inputs
from tests.docs.reading import DOCS, REFERENCE, names, section, tables


def flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested values by their dotted names."""
    result: dict[str, Any] = {}
    for key, value in values.items():
        result |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return result


def test_protocol_values() -> None:
    first, optional = tables(section(REFERENCE / "protocols.md", "## Runs and fits"))
    content = load_protocols("conductivity")
    for protocol in content["protocols"]:
        attributes = {names(row["input"])[0]: row[f"`{protocol}`"] for row in first}
        assert attributes == {key: str(value) for key, value in flat(protocol_inputs("conductivity", protocol)).items()}
    assert {names(row["input"])[0] for row in optional} == set(flat(content["optional_inputs"]))
    assert f"The default is `{content['default_protocol']}`." in (REFERENCE / "protocols.md").read_text()


@pytest.mark.parametrize(
    ("name", "heading"),
    [("quantumespresso", "## Electrons of Quantum ESPRESSO"), ("vasp", "## Electrons of VASP")],
)
def test_protocol_values_of_electrons(name: str, heading: str) -> None:
    (rows,) = tables(section(REFERENCE / "protocols.md", heading))
    content = load_protocols(name)
    assert set(content["protocols"]) == set(load_protocols("conductivity")["protocols"])
    assert content["default_protocol"] == load_protocols("conductivity")["default_protocol"]
    for protocol in content["protocols"]:
        attributes = {names(row["input"])[0]: row[f"`{protocol}`"] for row in rows if row[f"`{protocol}`"]}
        assert attributes == {key: str(value) for key, value in flat(protocol_inputs(name, protocol)).items()}


def test_protocol_values_of_barriers() -> None:
    (rows,) = tables(section(REFERENCE / "protocols.md", "## Migration barriers"))
    for protocol in load_protocols("barrier")["protocols"]:
        attributes = {names(row["input"])[0]: row[f"`{protocol}`"] for row in rows}
        assert attributes == {key: str(value) for key, value in flat(protocol_inputs("barrier", protocol)).items()}


@pytest.mark.parametrize("name", FAMILIES)
def test_protocol_values_of_trainings(name: str) -> None:
    family = FAMILIES[name]
    (rows,) = tables(section(REFERENCE / "protocols.md", f"### {family.label}"))
    assert [names(row["setting"])[0] for row in rows] == list(rules_of(family.settings))
    for protocol, changes in family.protocols.items():
        shape = family.settings.shape if protocol == "finetune" else ()
        values = family.settings.from_dict(changes).to_dict()
        expected = {key: "the parent's" if key in shape else str(value) for key, value in values.items()}
        assert {names(row["setting"])[0]: row[f"`{protocol}`"] for row in rows} == expected
    assert {names(row["setting"])[0]: row["range"] for row in rows} == {
        key: rule.range for key, rule in rules_of(family.settings).items()
    }


def test_protocols_are_explained() -> None:
    text = (DOCS / "topics" / "protocols.md").read_text()
    assert all(f"\n`{protocol}`" in text for protocol in load_protocols("conductivity")["protocols"])


def test_published_potentials() -> None:
    (rows,) = tables(section(DOCS / "how-to" / "classical-potentials.md", "## The published potentials"))
    assert {names(row["name"])[0]: names(row["level of theory"])[0] for row in rows} == {
        potential.name: potential.level_of_theory for potential in POTENTIALS.values()
    }
    for row in rows:
        elements = re.findall(r"\b[A-Z][a-z]?\b", row["elements"])
        assert set(elements) == set(POTENTIALS[names(row["name"])[0]].elements)


def thresholds(text: str) -> dict[str, float]:
    """Return the thresholds that a text states as `name` = number."""
    matches = re.findall(r"`([a-z][a-z_A]+)` = ([\d.,/]+\d)", text)
    numbers = {}
    for name, number in matches:
        above, _, below = number.replace(",", "").partition("/")
        numbers[name] = float(above) / float(below or 1)
    return numbers


def test_thresholds_are_those_of_the_settings() -> None:
    page = DOCS / "topics" / "methods.md"
    jumps = section(page, "## Jump analysis")
    text, settings = thresholds(page.read_text().replace(jumps, "")), dataclasses.asdict(DiffusionSettings())
    assert len(text) >= 8
    for name, number in text.items():
        known = settings.get(name, protocol_inputs("conductivity").get(name))
        assert known == pytest.approx(number), name
    of_jumps = thresholds(jumps)
    assert len(of_jumps) >= 5
    assert of_jumps == {name: getattr(JumpSettings(), name) for name in of_jumps}


def test_limits_of_the_checks() -> None:
    """Name, warning and failure of each row of the table of checks are those of the settings."""
    (rows,) = tables(section(DOCS / "topics" / "methods.md", "## Checks"))
    limits = dataclasses.asdict(CheckLimits())
    renamed = {"nearest_distance": "min_distance_ratio"}
    numbered = [row for row in rows if row["warns"].replace(".", "").isdigit()]
    assert len(numbered) == 19
    for row in numbered:
        name = names(row["check"])[0]
        for end in ("warn", "fail"):
            known = [limits[key] for key in limits if key.startswith(f"{renamed.get(name, name)}_{end}")]
            assert known == ([] if row[f"{end}s"] == "-" else [float(row[f"{end}s"])]), name


def test_constants_of_the_methods() -> None:
    from aiida_ion.analysis.arrhenius import fit, influence, laws, measured, posterior
    from aiida_ion.analysis.diffusion import (
        analyse,
        block_averages,
        collective,
        correlations,
        cross_checks,
        estimates,
        hops,
        kinisi_fit,
        motion,
        settings,
        tensor,
        transient,
        uncertainty,
        window,
    )
    from aiida_ion.analysis.green_kubo import charge_frame
    from aiida_ion.workchains.conductivity.md import run_seed

    text = (DOCS / "topics" / "methods.md").read_text()
    priors = fit.Priors()
    stated: dict[str, Callable[[], bool]] = {
        "A from 200": lambda: hops.GRADES[0] == (200.0, "A"),
        "B from 50": lambda: hops.GRADES[1] == (50.0, "B"),
        "C from 10": lambda: hops.GRADES[2] == (10.0, "C"),
        "maximum over lags up to 0.7": lambda: analyse.MAX_N_EFF_LAG_FRACTION == 0.7,
        "reached 20 angstrom^2": lambda: analyse.LEGACY_MSD_A2 == 20.0,
        "Ten hops are needed": lambda: posterior.HOPS_TO_MEASURE == 10,
        "15.7 is the mean": lambda: round(posterior.MEAN_AT_BOUND, 1) == 15.7,
        "With at least four different temperatures": lambda: laws.MIN_TEMPERATURES_TO_BEND == 4,
        "the sum over 40 such temperatures": lambda: laws.N_TEMPERATURES == 40,
        "Odds of 20 or more": lambda: laws.DECISIVE_ODDS == 20.0,
        "Odds of 3 or more": lambda: laws.DOUBTFUL_ODDS == 3.0,
        "A shift of more than 1 decade or a surprise above 3": lambda: (
            (influence.MAX_SHIFT_DECADES, influence.MAX_SURPRISE) == (1.0, 3.0)
        ),
        "Above 2 there is a note in the summary": lambda: influence.FAR_LEVERAGE == 2.0,
        "At least three different temperatures": lambda: fit.MIN_TEMPERATURES == 3,
        "A bound above 2e-5 cm^2/s": lambda: priors.uninformative_bound_cm2_s == 2e-5,
        "100,000 times that of its replica plus ten times the temperature": lambda: run_seed(3, 800.0) == 308_000,
        "when p < 0.01": lambda: measured.MIN_P_VALUE == 0.01,
        "81 values of ln D": lambda: posterior.N_MIDDLES == 81,
        "65 energies over 10 standard deviations": lambda: (posterior.N_ENERGIES, posterior.N_STD) == (65, 10.0),
        "Ea uniform in 0 to 3 eV": lambda: (priors.min_activation_energy_eV, priors.max_activation_energy_eV) == (0, 3),
        "log10 D0 uniform in -8 to 4": lambda: (
            (priors.min_log10_prefactor_cm2_s, priors.max_log10_prefactor_cm2_s) == (-8, 4)
        ),
        "log10 D0 ~ N(-3.2, 0.7)": lambda: (
            (priors.bound_log10_prefactor_mean, priors.bound_log10_prefactor_std) == (-3.2, 0.7)
        ),
        "Student's 99.865 % quantile": lambda: cross_checks.CONSISTENT_LEVEL == 0.99865,
        "by factors of sqrt(2), up to 2/3 of the last lag": lambda: (
            (transient.START_RATIO, window.MIN_SPAN) == (2.0**0.5, 1.5)
        ),
        "from up to 40 lags": lambda: transient.N_LAGS == 40,
        "at most 0.2^2": lambda: settings.MAX_EXPECTED == 0.2,
        "fifths of the run": lambda: (block_averages.N_BLOCKS, block_averages.MIN_BLOCKS) == (5, 3),
        "at least 0.9 times as long as the longest": lambda: motion.LIKE_LENGTH == 0.9,
        "counted as at most 20": lambda: uncertainty.MODEL_FREEDOM == 20.0,
        "degrees of freedom are 2.5 T/t": lambda: correlations.WINDOWS_OF_VARIANCE == 2.5,
        "with k = 2/r'^2 (at least 2)": lambda: uncertainty.MIN_FREEDOM == 2.0,
        "(relative variance 0.5)": lambda: tensor.MAX_SKEWED_VARIANCE == 0.5,
        "at least 5 degrees of freedom": lambda: estimates.MIN_TENSOR_FREEDOM == 5.0,
        "to 1e-4 e per atom": lambda: charge_frame.NEUTRALITY_TOLERANCE_E == 1e-4,
        "(three iterations)": lambda: collective.N_ITERATIONS == 3,
        "from 0.3 to 1 of `max_lag_fraction`": lambda: estimates.BOUND_LAG_START == 0.3,
        "at least 2/3": lambda: pytest.approx(2 / 3) == kinisi_fit.GAUSSIAN_SPREAD,
        "multiple of 2^-20 fs": lambda: kinisi_fit.INTERVAL_BITS == 20,
        "below half the slope times the first lag": lambda: kinisi_fit.MAX_SHIFT == 0.5,
    }
    for words, holds in stated.items():
        assert words in text, words
        assert holds(), words


def test_constants_of_the_comparison() -> None:
    from aiida_ion.analysis.comparison import force_errors, radial_distribution, ratios, vibrational_density
    from aiida_ion.analysis.comparison.forces import MAX_PARITY
    from aiida_ion.calculations.mlip.forces import FORCES_DEFAULTS
    from aiida_ion.campaigns.plans import GAMMA_WIDTH_A, MAX_FORCE_FRAMES
    from aiida_ion.units import THZ_PER_INVERSE_FS

    stated: dict[str, dict[str, Callable[[], bool]]] = {
        "topics/methods.md": {
            "100 by default (`max_force_frames`)": lambda: MAX_FORCE_FRAMES == FORCES_DEFAULTS["max_frames"] == 100,
            "either force is below 0.01 eV/angstrom": lambda: force_errors.MIN_FORCE_EV_A == 0.01,
            "up to 10 contiguous blocks of at least 2 frames are resampled 1,000 times": lambda: (
                (force_errors.N_BLOCKS, force_errors.MIN_BLOCK_FRAMES, force_errors.N_RESAMPLES) == (10, 2, 1000)
            ),
            "Fewer than 5 blocks, and so fewer than 10 frames": lambda: (
                force_errors.MIN_BLOCKS * force_errors.MIN_BLOCK_FRAMES == 10
            ),
            "At least 3 frames are needed": lambda: force_errors.MIN_ENERGY_FRAMES == 3,
            "up to 200 frames for each temperature and level": lambda: radial_distribution.MAX_FRAMES == 200,
            "Shells are about 0.05 angstrom wide": lambda: radial_distribution.BIN_WIDTH_A == 0.05,
            "at least to 5 and at most to 6 angstrom": lambda: (
                (radial_distribution.MIN_RANGE_A, radial_distribution.MAX_RANGE_A) == (5.0, 6.0)
            ),
            "with a resolution of 1 THz": lambda: vibrational_density.RESOLUTION_THZ == 1.0,
            "at least 16 in a window, so every 62.5 fs": lambda: (
                vibrational_density.MIN_WINDOW_FRAMES == 16 and THZ_PER_INVERSE_FS / 16 == 62.5
            ),
            "at most 1,000 draws of each": lambda: ratios.MAX_DRAWS == 1000,
        },
        "topics/provenance.md": {"some 20,000 components": lambda: MAX_PARITY == 20_000},
        "topics/limits.md": {"a cell narrower than 7 angstrom": lambda: GAMMA_WIDTH_A == 7.0},
    }
    for page, sentences in stated.items():
        text = (DOCS / page).read_text()
        for words, holds in sentences.items():
            assert words in text, words
            assert holds(), words
