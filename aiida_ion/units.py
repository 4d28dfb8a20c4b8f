"""All conversion factors of the package, from CODATA values in ``scipy.constants`` and ASE."""

from __future__ import annotations

from scipy import constants

#: Boltzmann constant, eV/K.
BOLTZMANN_EV_K: float = constants.k / constants.e
#: Elementary charge, C.
ELEMENTARY_CHARGE_C: float = constants.e
#: Boltzmann constant, J/K.
BOLTZMANN_J_K: float = constants.k
#: Energy of two elementary charges at a distance of 1 angstrom, eV angstrom.
COULOMB_EV_A: float = constants.e / (4.0 * constants.pi * constants.epsilon_0) / 1e-10

FS_PER_PS = 1000.0
#: 1/fs in THz.
THZ_PER_INVERSE_FS = 1000.0
S_PER_FS = 1e-15
HZ_PER_THZ = 1e12
US_PER_S = 1e6
S_PER_MINUTE = 60
S_PER_HOUR = 3600
S_PER_DAY = 86400
MEV_PER_EV = 1000.0
#: Arrhenius plots have 1000/T, 1/kK.
K_PER_KK = 1000.0
GPA_PER_BAR = 1e-4
BAR_PER_GPA = 1e4
BYTES_PER_KB = 1000
BYTES_PER_KIB = 1024
BYTES_PER_MIB = 1024**2
KIB_PER_MIB = 1024.0
MIB_PER_GIB = 1024.0
BYTES_PER_MB = 1e6
BYTES_PER_GB = 1e9
#: 1 GiB in AiiDA's kilobytes of memory, which are of 1024 bytes.
KB_PER_GIB = 1024.0**2
#: 1 GiB in bytes.
BYTES_PER_GIB = 1024.0**3
#: 1 angstrom^2/ps in cm^2/s.
CM2_S_PER_A2_PS = 1e-4
#: 1 angstrom^2/fs in cm^2/s.
CM2_S_PER_A2_FS = 0.1
#: 1 angstrom^2/s in cm^2/s.
CM2_S_PER_A2_S = 1e-16
#: 1 angstrom^3 in m^3.
M3_PER_A3 = 1e-30
#: 1 kbar in GPa.
GPA_PER_KBAR = 0.1
#: 1 eV for each particle in kJ/mol.
KJ_MOL_PER_EV: float = constants.e * constants.N_A * 1e-3
#: 1 eV/angstrom^3 in kbar.
KBAR_PER_EV_A3: float = constants.e / 1e-30 / 1e8
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
    """Return a duration, s, in a readable unit."""
    if seconds < 10:
        return f"{seconds:.2g} s"
    if seconds < 2 * S_PER_MINUTE:
        return f"{seconds:.0f} s"
    if seconds < 2 * S_PER_HOUR:
        return f"{seconds / S_PER_MINUTE:.0f} min"
    if seconds < 2 * S_PER_DAY:
        return f"{seconds / S_PER_HOUR:.1f} h"
    return f"{seconds / S_PER_DAY:.0f} d"
