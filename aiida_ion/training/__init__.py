"""Reference frames from which potentials are trained, and how good the trained potentials are. Knows no AiiDA."""
