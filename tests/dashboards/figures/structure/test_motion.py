"""Bonds go through faces to the right image, and frames of a run are as many as can be sent."""

from __future__ import annotations

import numpy as np
import pytest

from aiida_ion.dashboards.figures.structure.bonds import MOST_ATOMS, bonds_of
from aiida_ion.dashboards.figures.structure.motion import MOST_BYTES, MOST_FRAMES, motion_figure
from aiida_ion.dashboards.figures.theme import DARK, LIGHT

CELL = np.array([[8.0, 0.0, 0.0], [-3.0, 7.0, 0.0], [0.5, -1.0, 9.0]])


def test_a_bond_through_a_face_is_drawn_from_both_of_its_ends() -> None:
    phosphorus, sulfur = np.array([0.98, 0.5, 0.5]) @ CELL, np.array([0.98, 0.5, 0.5]) @ CELL + [1.9, 0.3, 0.2]
    inside = sulfur @ np.linalg.inv(CELL) % 1.0 @ CELL
    bonds = bonds_of(np.array([phosphorus, inside]), ["P", "S"], CELL)
    assert sorted(zip(bonds.first.tolist(), bonds.second.tolist(), strict=True)) == [(0, 1), (1, 0)]
    lines = bonds.lines(np.array([phosphorus, inside]), CELL).reshape(-1, 3, 3)
    lengths = np.linalg.norm(lines[:, 1] - lines[:, 0], axis=1)
    np.testing.assert_allclose(lengths, np.linalg.norm([1.9, 0.3, 0.2]) / 2, atol=1e-6)
    assert np.isnan(lines[:, 2]).all()


def test_cations_are_not_bonded_to_each_other_but_in_metals() -> None:
    places = np.array([[0.0, 0, 0], [2.4, 0, 0], [0, 2.2, 0]])
    bonds = bonds_of(places, ["La", "Zr", "O"], CELL)
    assert {tuple(sorted(pair)) for pair in zip(bonds.first.tolist(), bonds.second.tolist(), strict=True)} == {(0, 2)}
    assert len(bonds_of(places[:2], ["La", "Zr"], CELL).first) == 2
    assert len(bonds_of(places, ["La", "Zr", "Li"], CELL).first) == 2
    assert len(bonds_of(places[1:], ["Na", "O"], CELL).first) == 0
    for symbols in (["<b>", "S/Cl"], ["X", "X"], []):
        assert len(bonds_of(places[: len(symbols)], symbols, CELL).first) == 0
    many = np.zeros((MOST_ATOMS + 1, 3))
    assert len(bonds_of(many, ["O"] * len(many), CELL).first) == 0


def run(n_frames: int, n_atoms: int) -> tuple[list[str], np.ndarray]:
    random = np.random.default_rng(3)
    symbols = ["Li"] + ["P", "S"] * ((n_atoms - 1) // 2)
    start = random.uniform(0, 1, (len(symbols), 3)) @ CELL
    return symbols, start + np.cumsum(random.normal(0, 0.05, (n_frames, len(symbols), 3)), axis=0)


def test_a_slider_goes_through_the_frames() -> None:
    symbols = ["Li", "P", "S"]
    start = np.array([[1.0, 1, 1], [0.1, 3, 3], [-1.7, 3, 3]])
    steps = np.linspace(0, 1, 120)[:, None, None] * np.array([[9.0, 0, 0], [0.1, 0, 0], [0.1, 0, 0]])
    times = np.linspace(0, 12, 120)
    figure = motion_figure(CELL, symbols, start + steps, times, "Li", theme=LIGHT)
    assert [trace.name for trace in figure.data] == ["cell", "bonds", "P", "S", "Li"]
    assert len(figure.frames) == MOST_FRAMES
    (slider,) = figure.layout.sliders
    assert [step.label for step in slider.steps][::49] == ["0", "12"]
    assert [step.args[0][0] for step in slider.steps] == [frame.name for frame in figure.frames]
    assert len({frame.name for frame in figure.frames}) == MOST_FRAMES
    last = figure.frames[-1]
    assert list(last.traces) == [1, 2, 3, 4] and len(last.data) == 4
    np.testing.assert_allclose([last.data[1].x[0], last.data[1].y[0]], [0.2, 3], atol=1e-5)
    # The framework stays in one image; the mobile ion is folded, and both ends of a bond move with their atoms.
    sulfur = np.array([last.data[2].x[0], last.data[2].y[0], last.data[2].z[0]])
    at = sulfur @ np.linalg.inv(CELL)
    assert at.min() >= 0 and at.max() < 1
    inside = np.array([last.data[3].x[0], last.data[3].y[0], last.data[3].z[0]]) @ np.linalg.inv(CELL)
    np.testing.assert_allclose(inside, np.array([10.0, 1, 1]) @ np.linalg.inv(CELL) % 1.0, atol=1e-5)
    assert len(last.data[0].x) == 6


@pytest.mark.parametrize("n_atoms", [401, 4001])
def test_bytes_are_bounded(n_atoms: int) -> None:
    symbols, positions = run(12, n_atoms)
    figure = motion_figure(CELL * 3, symbols, positions.repeat(8, axis=0), np.arange(96.0), "Li", theme=DARK)
    sent = sum(trace.x.nbytes + trace.y.nbytes + trace.z.nbytes for frame in figure.frames for trace in frame.data)
    assert 0 < sent <= MOST_BYTES
    assert 1 < len(figure.frames) <= MOST_FRAMES


def test_a_run_without_frames_says_so() -> None:
    figure = motion_figure(CELL, ["Li"], np.zeros((0, 1, 3)), np.zeros(0), "Li", theme=LIGHT)
    assert "no frames" in figure.layout.annotations[0].text
