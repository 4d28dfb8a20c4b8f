from __future__ import annotations

import pytest

from aiida_ion.lammps.commands import check_commands
from aiida_ion.lammps.potentials import POTENTIALS, load_potential


@pytest.mark.parametrize("name", sorted(POTENTIALS))
def test_every_potential_names_its_source_and_covers_its_pairs(name: str) -> None:
    potential = load_potential(name)
    assert potential.name == name
    assert "(19" in potential.citation or "(20" in potential.citation
    assert potential.level_of_theory.startswith("classical/")
    commands = potential.commands(potential.elements)
    assert commands[0].startswith("pair_style")
    assert any(line.startswith("pair_coeff") for line in commands)


def test_pairs_follow_the_order_of_the_types() -> None:
    commands = load_potential("gillan-caf2-1986").commands(["F", "Ca"])
    assert "pair_coeff 1 1 1808.0 0.293 109.1" in commands
    assert "pair_coeff 1 2 674.3 0.336 0.0" in commands
    assert "pair_coeff 2 2 0.0 1.0 0.0" in commands


def test_unknown_names_and_elements_are_named() -> None:
    with pytest.raises(ValueError, match="lennard-jones-argon"):
        load_potential("nothing")
    with pytest.raises(ValueError, match=r"has no Cl, Na; it describes Ca, F"):
        load_potential("gillan-caf2-1986").commands(["Na", "Cl", "F"])
    with pytest.raises(ValueError, match=r"\+1 e"):
        load_potential("gillan-caf2-1986").require_neutral(["Ca", "F"])


def test_a_users_own_commands_get_the_elements() -> None:
    potential = load_potential(
        {
            "commands": "pair_style mace no_domain_decomposition # fast\n\npair_coeff * * &\n m.pt {elements}",
            "level_of_theory": "MACE",
            "files": ["m.pt"],
        }
    )
    assert potential.files == ("m.pt",)
    commands = potential.commands(["Li", "O"])
    assert commands == ["pair_style mace no_domain_decomposition", "pair_coeff * *   m.pt Li O"]


@pytest.mark.parametrize(
    "line",
    [
        "shell touch /tmp/x",
        "include other.in",
        "python f input 1 v_x file f.py",
        "plugin load x.so",
        "variable x getenv HOME",
        'variable x python f"',
        "print hello file x",
        "jump other.in",
        "log other",
        "dump 1 all atom 1 x",
        "write_data /x",
        "if 1 then 'shell ls'",
        "read_data x",
        "fix 1 all python/invoke 1 end_of_step f",
        "pair_coeff * * /etc/model.pt",
        "pair_coeff * * ../model.pt",
        "pair_coeff 1 1 ${x}",
        "pair_coeff 1 1 $(step)",
        "pair_style python 5.0",
        "pair_style hybrid/overlay python 5.0 zero 5.0",
        "sh&\nell ls",
    ],
)
def test_commands_that_reach_outside_are_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"not allowed|outside"):
        check_commands(f"pair_style zero 5.0\n{line}")


def test_what_is_missing_is_said() -> None:
    with pytest.raises(ValueError, match="pair_style"):
        check_commands("pair_coeff * *")
    with pytest.raises(ValueError, match="level_of_theory"):
        load_potential({"commands": "pair_style zero 5.0"})
    with pytest.raises(ValueError, match=r"unknown potential setting charge: did you mean charges\?"):
        load_potential({"commands": "pair_style zero 5.0", "level_of_theory": "x", "charge": {}})
    with pytest.raises(ValueError, match="bare file name"):
        load_potential({"commands": "pair_style zero 5", "level_of_theory": "x", "files": ["a/b"]})
