"""Bad inputs, listed by subject; ``benchmarks/hostile.py`` tries them all."""
