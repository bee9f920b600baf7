"""Measurements of speed, apart from the tests: `python -m benchmarks` prints the tables."""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: threads that spin while they wait would be counted as work
os.environ.setdefault("HF_HUB_OFFLINE", "1")  # the peers are built from configurations; nothing is to be fetched
