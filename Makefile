# Two commands matter: `make demo` and `make test`. Everything they need is made in this folder.
PYTHON ?= python3
BIN := .venv/bin
ENGINES := $(CURDIR)/.engines
DEMO := $(CURDIR)/.aiida-demo
export AIIDA_ION_ENGINES := $(ENGINES)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Small matrices gain nothing from threads, and two parallel runs get slower.
export OMP_NUM_THREADS ?= 1
# Tests start many Pythons; each would compile this package again.
unexport PYTHONDONTWRITEBYTECODE
# Many tests wait for jobs, so three processes are good on two cores; a file stays in one of them.
WORKERS ?= 3
# Installations and checks wait for the network or use one core: they run beside each other.
MAKEFLAGS += --jobs=3
# One apt-get at a time.
APT := flock Makefile apt-get
# Pictures of every page, as the tests saw it; continuous integration may keep them.
screenshots test-slow test-full: export AIIDA_ION_SCREENSHOTS ?= $(CURDIR)/artefacts/screenshots

.PHONY: help install engines test-engines demo-engines pw browser servers cluster demo test test-slow test-full screenshots lint docs bench clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

.venv/installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 ..."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { echo "python3 -m venv failed: install your system's python3-venv package"; exit 1; }
	@echo "installing aiida-ion and what it needs into .venv (a few minutes the first time) ..."
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@

install: .venv/installed ## make the environment in .venv

engines: install ## make the environments of all engines that tests run
	$(BIN)/aiida-ion engine install --no-register lammps sevenn chgnet mace nequip surrogate

test-engines: install
	$(BIN)/aiida-ion engine install --no-register lammps sevenn surrogate

demo-engines: install pw
	$(BIN)/aiida-ion engine install --no-register lammps sevenn

pw: ## install Quantum ESPRESSO's pw.x from the system's packages, where that can be done
	@command -v pw.x >/dev/null || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null && echo "installing quantum-espresso ..." \
	  && $(APT) update -qq && DEBIAN_FRONTEND=noninteractive $(APT) install -y -qq --no-install-recommends quantum-espresso quantum-espresso-data openmpi-bin >/dev/null; } \
	  || echo "pw.x is not on the PATH and cannot be installed here (that needs root and apt-get): whatever needs it is left out"

browser: ## install Chromium and its driver from the system's packages, where that can be done
	@command -v chromedriver >/dev/null || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null && echo "installing chromium ..." \
	  && $(APT) update -qq && DEBIAN_FRONTEND=noninteractive $(APT) install -y -qq --no-install-recommends chromium chromium-driver >/dev/null; } \
	  || echo "chromedriver is not on the PATH and cannot be installed here (that needs root and apt-get): the tests that need it are left out"

servers: ## install PostgreSQL and RabbitMQ from the system's packages, where that can be done; the tests start their own
	@ls /usr/lib/postgresql/*/bin/initdb /usr/lib/rabbitmq/bin/rabbitmq-server >/dev/null 2>&1 || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null && echo "installing postgresql and rabbitmq-server ..." \
	  && $(APT) update -qq && DEBIAN_FRONTEND=noninteractive $(APT) install -y -qq --no-install-recommends postgresql rabbitmq-server >/dev/null; } \
	  || echo "PostgreSQL or RabbitMQ is not here and cannot be installed (that needs root and apt-get): the tests that need them are left out"

cluster: ## install Slurm, munge and an SSH server from the system's packages, where that can be done; the tests start their own
	@(PATH=$$PATH:/usr/sbin; for one in munged slurmctld slurmd sbatch sshd; do command -v $$one || exit 1; done) >/dev/null || { test "$$(id -u)" = 0 -a ! -d /run/systemd/system && command -v apt-get >/dev/null && echo "installing slurm-wlm, munge and openssh-server ..." \
	  && $(APT) update -qq && DEBIAN_FRONTEND=noninteractive $(APT) install -y -qq --no-install-recommends slurm-wlm munge openssh-server >/dev/null; } \
	  || echo "Slurm, munge or an SSH server is not here and is not installed (that needs root, apt-get, and no systemd that would start them as services): the tests that need them are left out"

demo: demo-engines ## compute three conductors and print their table (ten minutes on two cores)
	AIIDA_PATH=$(DEMO) $(BIN)/python examples/demo.py

lint: install ## check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Sphinx has an environment of its own, so that it constrains nothing that computes.
.docs-env/installed: docs/requirements.txt
	@test -x .docs-env/bin/python || $(PYTHON) -m venv .docs-env
	@echo "installing Sphinx into .docs-env ..."
	.docs-env/bin/python -m pip install --quiet --no-compile --requirement docs/requirements.txt
	@touch $@

docs: .docs-env/installed ## build the documentation in build/site; warnings are errors
	.docs-env/bin/python -m sphinx -W --keep-going --quiet -c docs . build/site
	@echo "documentation: build/site/index.html"

test: test-engines pw browser lint docs ## install what is needed, check, and run the tests
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder --durations 15 --durations-min 20

test-slow: engines pw browser servers cluster ## run the tests that take long
	$(BIN)/python -m pytest -m slow

test-full: engines pw browser servers cluster lint docs ## install everything, check, and run every test, those that take long too
	$(BIN)/python -m pytest -m "" --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder --durations 15 --durations-min 20

screenshots: test-engines browser ## take pictures of every page of the dashboard, light, dark and narrow
	$(BIN)/python -m pytest -m slow tests/dashboards/pictures
	@echo "pictures: $(AIIDA_ION_SCREENSHOTS)"

bench: engines ## measure: ratios, coverage, memory
	$(BIN)/python benchmarks/md_runner.py
	$(BIN)/python benchmarks/diffusion_fit.py
	$(BIN)/python benchmarks/coverage.py
	$(BIN)/python benchmarks/coverage_arrhenius.py --trajectories
	$(BIN)/python benchmarks/green_kubo.py
	$(BIN)/python benchmarks/reliability.py
	$(BIN)/python benchmarks/adaptive.py
	$(BIN)/python benchmarks/seeds.py
	$(BIN)/python benchmarks/bvse.py
	$(BIN)/python benchmarks/superionic.py
	$(BIN)/python benchmarks/jump_rates.py
	if command -v pw.x > /dev/null; then $(BIN)/python benchmarks/converged_dft.py; fi
	$(BIN)/python benchmarks/other_packages.py
	$(BIN)/python benchmarks/queries.py
	$(BIN)/python benchmarks/export.py
	$(BIN)/python benchmarks/dashboard.py
	$(BIN)/python benchmarks/readers.py --folder build/readers
	$(BIN)/python benchmarks/bounded.py
	$(BIN)/python benchmarks/surrogate.py
	$(BIN)/python benchmarks/forces.py
	$(BIN)/python benchmarks/gpu.py --device cpu --potentials sevenn --replicas 6 --repeat 1 --steps 10
	$(BIN)/python benchmarks/pes.py
	$(BIN)/python benchmarks/daemon.py
	$(BIN)/python benchmarks/throttle.py

clean: ## remove the environments and the demo's database
	-AIIDA_PATH=$(DEMO) $(BIN)/verdi daemon stop 2>/dev/null
	rm -rf .venv .docs-env .engines .aiida-demo build dist docs/reference/api *.egg-info
