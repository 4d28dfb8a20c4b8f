"""Arrays in, small dataclasses out: numpy, scipy and kinisi; knows no AiiDA."""
