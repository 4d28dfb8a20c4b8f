"""Cards with cells in three dimensions: of runs, of ordered cells, of kept energy maps."""
