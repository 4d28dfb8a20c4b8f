"""Sources of datasets: what of the database, or of files, potentials are trained on."""
