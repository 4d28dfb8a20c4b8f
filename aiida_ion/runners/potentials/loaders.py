"""The loader of each potential: from its settings to an ASE calculator.

Every loader finds its file of weights first; the file is hashed, compared with the hash the inputs expect, and looked
at without loading it. What holds more than weights is refused unless the user trusted that very file, and while a
library opens one that nobody trusted, torch is held to weights alone.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ase.calculators.emt import EMT, parameters
from ase.data import atomic_numbers

from aiida_ion.runners.checkpoints import (
    FILE_ADVICE,
    Checkpoint,
    finding_weights,
    given_file,
    has_module,
    import_module,
    start_torch,
    verified_checkpoint,
    weights_only,
)
from aiida_ion.runners.lennard_jones import PairLennardJones
from aiida_ion.runners.output import RunnerError
from aiida_ion.runners.potentials.potential import Potential
from aiida_ion.runners.run_inputs import PotentialInputs, require


def _load_sevenn(inputs: PotentialInputs) -> Potential:
    start_torch(inputs, "sevenn")
    util = import_module("sevenn.util", "sevenn")
    calculators = import_module("sevenn.calculator", "sevenn")
    path, name = given_file(inputs), None
    if path is None:
        name = inputs.model or "7net-0"
        with finding_weights(f"SevenNet '{name}'", FILE_ADVICE):
            path = Path(util.pretrained_name_to_path(name))
    checkpoint = verified_checkpoint(inputs, path, name)
    with weights_only(checkpoint, path):
        calculator = calculators.SevenNetCalculator(model=str(path), device=inputs.device, **inputs.kwargs)
    elements = frozenset(int(number) for number in calculator.type_map)
    return Potential(calculator, ("sevenn", "e3nn"), checkpoint, elements, inputs.device, "float32", path=path)


def _load_mace(inputs: PotentialInputs) -> Potential:
    start_torch(inputs, "mace-torch")
    calculators = import_module("mace.calculators", "mace-torch")
    path, name = given_file(inputs), None
    if path is None:
        name = inputs.model or "medium-mpa-0"
        path = _published_mace(name)
    checkpoint = verified_checkpoint(inputs, path, name)
    settings = {"default_dtype": inputs.dtype or ""} | dict(inputs.kwargs)
    with weights_only(checkpoint, path):
        calculator = calculators.MACECalculator(model_paths=str(path), device=inputs.device, **settings)
    elements = frozenset(int(number) for number in calculator.z_table.zs)
    packages = ("mace-torch", "e3nn")
    return Potential(calculator, packages, checkpoint, elements, inputs.device, calculator.default_dtype, path=path)


def _published_mace(name: str) -> Path:
    """Return the cached (or freshly downloaded) file of a published MACE model."""
    foundations = import_module("mace.calculators.foundations_models", "mace-torch")
    links: dict[str, str] = foundations.mace_mp_urls
    if name not in links:
        known = ", ".join(links)
        message = f"There is no published MACE model '{name}'; choose from {known}; or give a file as checkpoint_file."
        raise RunnerError("checkpoint_missing", message)
    advice = f"download {links[name]} where there is a network and give the file as checkpoint_file"
    with finding_weights(f"MACE '{name}'", advice):
        return Path(foundations.download_mace_mp_checkpoint(name))


def _load_chgnet(inputs: PotentialInputs) -> Potential:
    start_torch(inputs, "chgnet")
    models = import_module("chgnet.model.model", "chgnet")
    dynamics = import_module("chgnet.model.dynamics", "chgnet")
    path, name = given_file(inputs), None
    if path is None:
        name = inputs.model or "0.3.0"
        files = sorted((Path(models.__file__).parent.parent / "pretrained" / name).glob("*.pth.tar"))
        if not files:
            message = (
                f"CHGNet has no model '{name}'; choose from 0.2.0, 0.3.0, r2scan; or give a file as checkpoint_file."
            )
            raise RunnerError("checkpoint_missing", message)
        path = files[0]
    checkpoint = verified_checkpoint(inputs, path, name)
    with weights_only(checkpoint, path):
        if name is None:
            model = read_chgnet(models.CHGNet, path)
        else:
            model = models.CHGNet.load(model_name=name, use_device=inputs.device, verbose=False)
    settings = {"on_isolated_atoms": "ignore"} | dict(inputs.kwargs)
    calculator = dynamics.CHGNetCalculator(model=model, use_device=inputs.device, **settings)
    elements = frozenset(range(1, 95))
    return Potential(calculator, ("chgnet", "pymatgen"), checkpoint, elements, inputs.device, "float32", path=path)


def read_chgnet(kind: Any, path: Path) -> Any:
    """Return the model of a file, as ``CHGNet.from_file`` does, of any version.

    A file does not say whether its last layers have a bias, as those of version 0.2.0 do: the names of its weights do.
    To be called within :func:`weights_only`, which decides what may be loaded.
    """
    content = sys.modules["torch"].load(path, map_location="cpu", weights_only=False)["model"]
    has_bias = any(name.endswith("mlp_out.layers.1.bias") for name in content["state_dict"])
    is_told = "mlp_out_bias" in content["model_args"]
    return kind.from_dict(content, **({} if is_told else {"mlp_out_bias": has_bias}))


def _load_nequip(inputs: PotentialInputs) -> Potential:
    start_torch(inputs, "nequip")
    path = given_file(inputs)
    if path is None:
        advice = "compile one with 'nequip-compile --mode aotinductor --target ase' and give it as checkpoint_file"
        raise RunnerError("checkpoint_missing", f"NequIP and Allegro need a compiled model: {advice}.")
    with contextlib.suppress(ImportError):
        importlib.import_module("allegro")
    module = "nequip.integrations.ase" if has_module("nequip.integrations.ase") else "nequip.ase"
    kind = import_module(module, "nequip nequip-allegro").NequIPCalculator
    load = kind.from_compiled_model if hasattr(kind, "from_compiled_model") else kind.from_deployed_model
    if path.name.endswith(".nequip.zip"):  # a package: not compiled, slower, and not bound to a computer
        load = kind._from_saved_model
    checkpoint = verified_checkpoint(inputs, path)
    with weights_only(checkpoint, path):
        calculator = load(str(path), device=inputs.device, **inputs.kwargs)
    packages = ("nequip", "nequip-allegro", "e3nn")
    return Potential(calculator, packages, checkpoint, None, inputs.device, None, path=path)


def _load_mattersim(inputs: PotentialInputs) -> Potential:
    start_torch(inputs, "mattersim")
    kind = import_module("mattersim.forcefield", "mattersim").MatterSimCalculator
    path, name = given_file(inputs), None
    if path is None:
        name = inputs.model or "MatterSim-v1.0.0-1M"
        path = Path.home() / ".local" / "mattersim" / "pretrained_models" / f"{name.lower()}.pth"
    checkpoint = verified_checkpoint(inputs, path, name) if path.is_file() else {"name": name, "sha256": None}
    with finding_weights(f"MatterSim '{name}'", FILE_ADVICE), weights_only(checkpoint, path):
        target = str(path) if path.is_file() else f"{name}.pth"
        calculator = kind(load_path=target, device=inputs.device, **inputs.kwargs)
    checkpoint = verified_checkpoint(inputs, path, name) if path.is_file() else checkpoint
    return Potential(calculator, ("mattersim",), checkpoint, None, inputs.device, "float32")


def _load_orb(inputs: PotentialInputs) -> Potential:
    start_torch(inputs, "orb-models")
    pretrained = import_module("orb_models.forcefield.pretrained", "orb-models")
    newer = "orb_models.forcefield.inference.calculator"
    module = newer if has_module(newer) else "orb_models.forcefield.calculator"
    kind = import_module(module, "orb-models").ORBCalculator
    name = (inputs.model or "orb_v3_conservative_inf_omat").replace("-", "_")
    require(hasattr(pretrained, name), f"orb-models has no pretrained model '{name}'")
    build = getattr(pretrained, name)
    path = given_file(inputs) if inputs.checkpoint_file is not None else None
    checkpoint = {"name": name, "sha256": None} if path is None else verified_checkpoint(inputs, path, name)
    require(path is not None or inputs.checkpoint_sha256 is None, "orb: give checkpoint_file to have it hashed")
    precision = "float64" if inputs.dtype == "float64" else "float32-high"
    weights = {} if path is None else {"weights_path": str(path)}
    with finding_weights(f"Orb '{name}'", FILE_ADVICE), weights_only(checkpoint, path):
        built = build(device=inputs.device, precision=precision, **weights)
    arguments = {"atoms_adapter": built[1]} if isinstance(built, tuple) else {}
    model = built[0] if isinstance(built, tuple) else built
    calculator = kind(model, device=inputs.device, **arguments, **inputs.kwargs)
    return Potential(calculator, ("orb-models",), checkpoint, None, inputs.device, precision[:7])


def _load_matgl(inputs: PotentialInputs) -> Potential:
    start_torch(inputs, "matgl")
    matgl = import_module("matgl", "matgl")
    kind = import_module("matgl.ext.ase", "matgl").PESCalculator
    name = inputs.checkpoint_file or inputs.model or "TensorNet-MatPES-PBE-v2025.1-PES"
    weights = Path(name) / "state.pt"  # model.pt holds the architecture alone
    checkpoint = (
        verified_checkpoint(inputs, weights, Path(name).name) if weights.is_file() else {"name": name, "sha256": None}
    )
    advice = "download the model folder and give its path as model"
    with finding_weights(f"MatGL '{name}'", advice), weights_only(checkpoint, weights):
        model = matgl.load_model(name)
    known = frozenset(atomic_numbers[symbol] for symbol in getattr(model.model, "element_types", ()))
    # Its stress is in GPa unless told otherwise; ASE, and so the barostat, wants eV/angstrom^3.
    calculator = kind(model.to(inputs.device), **({"stress_unit": "eV/A3"} | dict(inputs.kwargs)))
    return Potential(calculator, ("matgl",), checkpoint, known or None, inputs.device, "float32")


def _load_lj(inputs: PotentialInputs) -> Potential:
    try:
        return Potential(PairLennardJones(**inputs.kwargs))
    except TypeError as error:
        raise RunnerError("invalid_input", f"lj takes sigma, epsilon, rc and skin: {error}") from error


def _load_emt(inputs: PotentialInputs) -> Potential:
    return Potential(EMT(**inputs.kwargs), elements=frozenset(atomic_numbers[symbol] for symbol in parameters))


def _load_import(inputs: PotentialInputs) -> Potential:
    """Load any ASE calculator by its import path ``package.module:Class``."""
    module_name, _, attribute = (inputs.model or "").partition(":")
    require(bool(module_name and attribute), "potential 'import' needs model = 'package.module:Class'")
    top = module_name.partition(".")[0]
    module = import_module(module_name, top)
    require(hasattr(module, attribute), f"the module {module_name} has no '{attribute}'")
    with contextlib.suppress(ImportError):
        importlib.import_module("torch").set_num_threads(inputs.threads) if "torch" in sys.modules else None
    path = given_file(inputs) if inputs.checkpoint_file is not None else None
    named: Checkpoint = {"name": inputs.model, "sha256": None}
    checkpoint = named if path is None else verified_checkpoint(inputs, path)
    try:
        calculator = getattr(module, attribute)(**inputs.kwargs)
    except TypeError as error:
        raise RunnerError("invalid_input", f"{inputs.model} refused its arguments: {error}") from error
    packages = tuple(importlib.metadata.packages_distributions().get(top, ()))
    return Potential(calculator, packages, checkpoint, None, inputs.device, None)


Loader = Callable[[PotentialInputs], Potential]
LOADERS: dict[str, Loader] = {
    "sevenn": _load_sevenn,
    "mace": _load_mace,
    "chgnet": _load_chgnet,
    "nequip": _load_nequip,
    "mattersim": _load_mattersim,
    "orb": _load_orb,
    "matgl": _load_matgl,
    "lj": _load_lj,
    "emt": _load_emt,
    "import": _load_import,
}
