"""Every conversion factor of the package, once, from CODATA as ``scipy.constants`` and ASE give it."""

from __future__ import annotations

from scipy import constants

#: Boltzmann constant, eV/K.
BOLTZMANN_EV_K: float = constants.k / constants.e
#: Elementary charge, C.
ELEMENTARY_CHARGE_C: float = constants.e
#: Boltzmann constant, J/K.
BOLTZMANN_J_K: float = constants.k

FS_PER_PS = 1000.0
#: 1 angstrom^2/ps in cm^2/s.
CM2_S_PER_A2_PS = 1e-4
#: 1 angstrom^3 in m^3.
M3_PER_A3 = 1e-30
#: 1 kbar in GPa.
GPA_PER_KBAR = 0.1
#: 1 u/angstrom^3 in g/cm^3.
G_CM3_PER_U_A3: float = constants.atomic_mass * 1e3 / 1e-24
#: 1 cm^2/s in m^2/s.
M2_S_PER_CM2_S = 1e-4
#: 1 S/m in mS/cm.
MS_CM_PER_S_M = 10.0
#: 1 S/cm in mS/cm.
MS_CM_PER_S_CM = 1000.0
#: 1 e/(V angstrom fs) in S/m.
S_M_PER_E_V_A_FS: float = ELEMENTARY_CHARGE_C / (1e-10 * 1e-15)


def duration(seconds: float) -> str:
    """Return a duration, s, in a readable unit: the one in which it is a small number."""
    if seconds < 10:
        return f"{seconds:.2g} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    if seconds < 172800:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 86400:.0f} d"
