"""Fill a profile with results, a screening, a surrogate and trained potentials, so that every page shows something.

python benchmarks/reading/filling.py PROFILE RESULTS
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.many_results import fill, make_profile
from benchmarks.synthetic import screening, surrogate, training


def main() -> None:
    name, n_results = sys.argv[1:]
    make_profile(name)
    fill(int(n_results))
    surrogate.store_training()
    training.fill()
    screening.fill()


if __name__ == "__main__":
    main()
