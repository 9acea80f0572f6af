"""How fast and how good: each file is a measurement that runs alone, `python -m benchmarks` the ratios."""
