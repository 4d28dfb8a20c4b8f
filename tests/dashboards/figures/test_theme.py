"""How figures look, and that text of nodes stays text."""

from __future__ import annotations

import pytest

from aiida_ion.dashboards.figures.theme import (
    DARK,
    LIGHT,
    OKABE_ITO,
    empty_figure,
    faded,
    formula_label,
    graph_config,
    level_styles,
    new_figure,
    plain,
    theme_named,
)


def luminance(color: str) -> float:
    """Return the relative luminance of WCAG 2."""
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_text_can_be_read_and_points_be_seen(theme: object) -> None:
    for ground in (theme.card, theme.background):  # type: ignore[attr-defined]
        for color in (theme.text, theme.muted, theme.good, theme.doubtful, theme.bad):  # type: ignore[attr-defined]
            assert contrast(color, ground) >= 4.5, (color, ground)
    for color in OKABE_ITO.values():
        assert contrast(color, theme.card) >= 2.0  # type: ignore[attr-defined]


def test_levels_differ_in_colour_and_symbol_and_keep_theirs() -> None:
    names = [f"level {i}" for i in range(48)]
    styles = level_styles(names)
    assert len(set(styles.values())) == 48
    few = level_styles(names[:6])
    assert len({style.color for style in few.values()}) == len({style.symbol for style in few.values()}) == 6
    assert level_styles(reversed(names)) == styles
    assert level_styles(["PBE"])["PBE"] == level_styles(["PBE"])["PBE"]
    assert len(level_styles([*names, *(f"more {i}" for i in range(10))])) == 58


def test_text_of_a_node_stays_text() -> None:
    assert plain("<a href='javascript:x'>&amp;") == "&lt;a href='javascript:x'&gt;&amp;amp;"
    assert plain("a\x00b\u202ec") == "abc"
    assert len(plain("x" * 10_000)) == 401
    figure = empty_figure(LIGHT, "<b>nothing</b>")
    assert figure.layout.annotations[0].text == "&lt;b&gt;nothing&lt;/b&gt;"


def test_formulas_have_their_numbers_below_the_line() -> None:
    assert formula_label("Li10GeP2S12") == "Li₁₀GeP₂S₁₂"
    assert formula_label("Li0.5CoO2") == "Li0.5CoO₂"


def test_layout_carries_units_and_the_theme() -> None:
    figure = new_figure(DARK, "t / ps", "MSD / Å²", showlegend=False)
    assert figure.layout.xaxis.title.text == "t / ps"
    assert figure.layout.template.layout.paper_bgcolor == DARK.card
    assert faded("#0072B2", 0.2) == "rgba(0,114,178,0.2)"
    assert theme_named("dark") is DARK
    assert theme_named(None) is theme_named("<x>") is LIGHT
    assert graph_config("x")["showSendToCloud"] is False
    assert graph_config("../a b/c")["toImageButtonOptions"] == {"format": "svg", "filename": "a-b-c"}
