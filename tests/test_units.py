"""Conversion factors stand in ``units.py`` and nowhere else."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from aiida_ion import units

PACKAGE = Path(__file__).parents[1] / "aiida_ion"
#: Powers of ten from 10^3 and 10^-3 on (and 10^4, 10^-4 of areas and bars), and factors of time and memory.
FACTORS = {float(f"1e{sign}{power}") for sign in "+-" for power in (3, 4, 6, 8, 9, 10, 12, 15, 24, 30)}
FACTORS |= {60.0, 1024.0, 3600.0, 86400.0}
#: File -> why a factor stands there.
EXCEPTIONS = {
    "units.py": "their home",
    "runners/output.py": "imports the standard library alone, before the threads of NumPy are limited",
}
OPERATORS = (ast.Mult, ast.Div, ast.FloorDiv)


def bare_factors(source: str) -> Iterator[int]:
    """Yield the lines on which something is multiplied with, or divided by, a number that is a factor of units."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.BinOp) and isinstance(node.op, OPERATORS):
            operands = [node.left, node.right]
        elif isinstance(node, ast.AugAssign) and isinstance(node.op, OPERATORS):
            operands = [node.value]
        else:
            continue
        if any(map(is_factor, operands)):
            yield node.lineno


def is_factor(node: ast.expr) -> bool:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow) and isinstance(node.left, ast.Constant):
        return node.left.value in (2, 10, 1024) and isinstance(node.right, (ast.Constant, ast.UnaryOp))
    value = node.value if isinstance(node, ast.Constant) else None
    return isinstance(value, (int, float)) and not isinstance(value, bool) and float(value) in FACTORS


def test_no_bare_conversion_factors() -> None:
    found = [
        f"{path.relative_to(PACKAGE)}:{line}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if str(path.relative_to(PACKAGE)) not in EXCEPTIONS
        for line in bare_factors(path.read_text())
    ]
    assert found == [], "name the factor in aiida_ion/units.py, or what else it is where it stands"


def test_factors_are_found_where_they_stand() -> None:
    for line in ("t_ps * 1000.0", "x / 3600", "1e-15 * dt", "m / 2**20", "n /= 1024", "64 * 1024"):
        assert list(bare_factors(line)) == [1], line
    for line in ("t_ps * FS_PER_PS", "2 * x", "x + 1000", "n * 7", "range(1000)", "x ** 2 * y"):
        assert not list(bare_factors(line)), line


def test_factors_agree_with_each_other() -> None:
    assert units.CM2_S_PER_A2_FS == units.CM2_S_PER_A2_PS * units.FS_PER_PS
    assert units.GPA_PER_BAR * units.BAR_PER_GPA == 1.0
    assert units.HZ_PER_THZ * units.S_PER_FS * units.THZ_PER_INVERSE_FS == 1.0
    assert units.BYTES_PER_MIB == units.BYTES_PER_KIB * units.KIB_PER_MIB
    assert [units.duration(seconds) for seconds in (3.0, 100.0, 600.0, 7200.0, 864000.0)] == [
        *("3 s", "100 s", "10 min", "2.0 h", "10 d")
    ]
