"""What the engine must reach, measured beside its peers; ``python -m benchmarks``.

One file for each group of measurements; every measurement runs in a process of
its own, one after the other. Counts are exact and are asserted in
``tests/benchmarks`` as well; times are medians and mean something only as ratios
within one run.
"""
