"""The settings of maps that are kept: the same for every method that makes one."""

from __future__ import annotations

#: Names of the settings; they decide no number of a result.
MAP_SETTINGS = ("keep_map", "max_map_points")
#: A map of so many points is 16 MiB in single precision.
MOST_MAP_POINTS = 4_194_304
KEEP_MAP = (
    "Keep the energies of the map as an array, eV above its stated zero, for figures and for sites; 4 bytes a point"
)
MAX_MAP_POINTS = "A map with more points is not kept, and the result says so"
