"""Benchmarks: measurements of speed, apart from the tests. `python -m benchmarks` prints the tables."""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: the CPU time of threads that spin while they wait would count
os.environ.setdefault("HF_HUB_OFFLINE", "1")  # the peers are built from configurations, and nothing is downloaded
