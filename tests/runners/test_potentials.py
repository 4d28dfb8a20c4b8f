"""Every potential by its real package: what is loaded, and what a user is told when it cannot be."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.lj import LennardJones

from aiida_ion.runners.lennard_jones import PairLennardJones
from tests.runners.conftest import Folder, engine_python, md_settings, place

MakeFolder = Callable[[str], Folder]
THREE_STEPS = md_settings(n_steps=3, timestep_fs=1.0, sample_every=1, keep=["forces"])


@pytest.fixture
def lithium_fluoride() -> Atoms:
    atoms = bulk("LiF", "rocksalt", a=4.0)
    atoms.rattle(0.03, seed=2)
    return atoms


def refused(make_folder: MakeFolder, atoms: Atoms, potential: dict[str, Any], engine: str = "") -> dict[str, Any]:
    """Run a potential that must be refused; nothing but the results may be left behind."""
    folder = make_folder("refused").write(atoms, md=THREE_STEPS, potential=potential)
    results = folder.run(python=engine_python(engine)) if engine else folder.run()
    assert not list(folder.path.glob("*.np[yz]"))
    return results


def test_unknown_potential(make_folder: MakeFolder, copper: Atoms) -> None:
    results = refused(make_folder, copper, {"name": "mase"})
    assert results["status"] == "unknown_potential"
    assert all(name in results["message"] for name in ("mace", "sevenn", "chgnet", "nequip", "import"))


@pytest.mark.parametrize(
    ("name", "install"),
    [
        ("sevenn", "sevenn"),
        ("mace", "mace-torch"),
        ("chgnet", "chgnet"),
        ("nequip", "nequip"),
        ("mattersim", "mattersim"),
        ("orb", "orb-models"),
        ("matgl", "matgl"),
    ],
)
def test_package_that_is_not_there(make_folder: MakeFolder, copper: Atoms, name: str, install: str) -> None:
    results = refused(make_folder, copper, {"name": name})
    if results["status"] != "engine_import_failed":
        pytest.skip(f"{name} is installed beside the tests")
    assert f"pip install {install}" in results["message"]


def test_element_that_emt_does_not_know(make_folder: MakeFolder, copper: Atoms) -> None:
    copper.symbols[3] = "Li"
    results = refused(make_folder, copper, {"name": "emt"})
    assert results["status"] == "element_unknown" and " Li" in results["message"]


def test_missing_checkpoint_file(make_folder: MakeFolder, lithium_fluoride: Atoms) -> None:
    results = refused(make_folder, lithium_fluoride, {"name": "sevenn", "checkpoint_file": "mine.pth"})
    assert results["status"] == "checkpoint_missing" and "mine.pth" in results["message"]


def test_mismatching_file_is_never_opened(make_folder: MakeFolder, copper: Atoms) -> None:
    folder = make_folder("run")
    # Unpickling this file would run a command.
    (folder.path / "evil.model").write_bytes(b"cos\nsystem\n(S'touch opened'\ntR.")
    potential = {"name": "mace", "checkpoint_file": "evil.model", "checkpoint_sha256": "1" * 64}
    results = folder.write(copper, md=THREE_STEPS, potential=potential).run()
    assert results["status"] == "checkpoint_mismatch"
    assert not (folder.path / "opened").exists()


#: Unpickling any of these makes the file ``opened``: the oldest kind of pickle, a newer one, and one within an archive.
EVIL: dict[str, Callable[[], bytes]] = {
    "oldest": lambda: b"cos\nsystem\n(S'touch opened'\ntR.",
    "newest": lambda: pickle.dumps(Opener()),
    "archive": lambda: torch_archive(pickle.dumps(Opener(), protocol=2)),
}


class Opener:
    """What a pickle can hold: an order to call something when it is read."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch opened",)


def torch_archive(data: bytes) -> bytes:
    """Return a zip archive as torch writes it, around a pickle."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in (("data.pkl", data), ("version", b"3\n"), ("byteorder", b"little")):
            archive.writestr(f"weights/{name}", content)
    return stream.getvalue()


@pytest.mark.parametrize("kind", EVIL)
@pytest.mark.parametrize("given_as", ["checkpoint_file", "model"])
def test_a_pickle_is_not_executed(make_folder: MakeFolder, copper: Atoms, kind: str, given_as: str) -> None:
    """Loading it would run a command; the libraries load whatever they are given, so it never comes to them."""
    folder = make_folder("run")
    (folder.path / "evil.pth").write_bytes(EVIL[kind]())
    for name in ("mace", "sevenn", "chgnet", "orb") if kind == "archive" else ("mace",):
        results = folder.write(copper, md=THREE_STEPS, potential={"name": name, given_as: "evil.pth"}).run()
        assert results["status"] == "checkpoint_untrusted", results
        assert "posix.system" in results["message"] or "os.system" in results["message"]
        assert results["refused_checkpoint"]["sha256"] in results["message"]
        assert not (folder.path / "opened").exists()


def test_torch_itself_is_held_to_weights(make_folder: MakeFolder, copper: Atoms) -> None:
    """What the look at a file misses, torch refuses: here the look is made to miss all."""
    python = engine_python("sevenn")
    folder = make_folder("run")
    (folder.path / "evil.pth").write_bytes(EVIL["archive"]())
    place(folder.path, "md")
    looks = folder.path / "aiida_ion" / "weight_files.py"
    assert "return bool(self.imports) or" in looks.read_text()
    looks.write_text(looks.read_text().replace("return bool(self.imports) or", "return"))
    potential = {"name": "sevenn", "checkpoint_file": "evil.pth"}
    results = folder.write(copper, md=THREE_STEPS, potential=potential).run(python=python)
    assert results["status"] == "checkpoint_untrusted", results
    assert not (folder.path / "opened").exists()


def test_a_file_named_by_an_argument_is_looked_at_too(make_folder: MakeFolder, copper: Atoms) -> None:
    folder = make_folder("run")
    (folder.path / "evil.pth").write_bytes(EVIL["newest"]())
    potential = {"name": "import", "model": "ase.calculators.lj:LennardJones", "kwargs": {"weights": ["evil.pth"]}}
    results = folder.write(copper, md=THREE_STEPS, potential=potential).run()
    assert results["status"] == "checkpoint_untrusted"
    assert not (folder.path / "opened").exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html><html>404</html>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "git-lfs"),
        (bytes(range(1, 256)) * 8, "not a weight file"),
        (b"\0" * 5000, "zeros"),
    ],
)
def test_what_is_no_file_of_weights(make_folder: MakeFolder, copper: Atoms, content: bytes, words: str) -> None:
    folder = make_folder("run")
    (folder.path / "w.pth").write_bytes(content)
    results = folder.write(copper, md=THREE_STEPS, potential={"name": "sevenn", "checkpoint_file": "w.pth"}).run()
    assert results["status"] == "checkpoint_unreadable" and words in results["message"]


def test_any_ase_calculator_by_import_path(make_folder: MakeFolder, argon: Atoms) -> None:
    """ASE's own Lennard-Jones, by import path, and ours give the same run."""
    kwargs = {"sigma": 3.4, "epsilon": 0.0104, "rc": 7.0}
    imported = {"name": "import", "model": "ase.calculators.lj:LennardJones", "kwargs": kwargs | {"smooth": True}}
    thermo = []
    for name, potential in (("ase", imported), ("ours", {"name": "lj", "kwargs": kwargs})):
        settings = md_settings(temperature_K=50.0, n_steps=25, timestep_fs=4.0)
        folder = make_folder(name).write(argon, md=settings, potential=potential)
        results = folder.run()
        assert results["status"] == "finished"
        thermo.append(folder.array("thermo")["potential_energy_eV"])
    np.testing.assert_allclose(thermo[0], thermo[1], rtol=1e-9)


@pytest.mark.parametrize(
    ("model", "status", "word"),
    [
        ("nowhere.to_be:Found", "engine_import_failed", "pip install nowhere"),
        ("ase.calculators.lj:Nothing", "invalid_input", "Nothing"),
        ("ase.calculators.lj", "invalid_input", "package.module:Class"),
    ],
)
def test_import_path_that_leads_nowhere(
    make_folder: MakeFolder, copper: Atoms, model: str, status: str, word: str
) -> None:
    results = refused(make_folder, copper, {"name": "import", "model": model})
    assert results["status"] == status and word in results["message"]


@pytest.mark.parametrize("cell", ["cubic", "sheared"])
def test_lennard_jones_gives_the_numbers_of_ase(cell: str) -> None:
    atoms = bulk("Ar", "fcc", a=5.3, cubic=cell == "cubic").repeat(2)
    atoms.rattle(0.3, seed=4)
    kwargs = {"sigma": 3.4, "epsilon": 0.0104, "rc": 9.0}
    ours = PairLennardJones(**kwargs)
    for step in range(4):
        atoms.calc = ours
        result = atoms.get_potential_energy(), atoms.get_forces(), atoms.get_stress()
        atoms.calc = LennardJones(smooth=True, **kwargs)
        assert result[0] == pytest.approx(atoms.get_potential_energy(), rel=1e-10)
        np.testing.assert_allclose(result[1], atoms.get_forces(), atol=1e-10)
        np.testing.assert_allclose(result[2], atoms.get_stress(), atol=1e-12)
        atoms.positions += 0.4 * np.sin(np.arange(3 * len(atoms)) + step).reshape(-1, 3)
        atoms.set_cell(atoms.cell * (1.0 + 0.02 * step), scale_atoms=False)
