"""Every test process, and every program that it starts, computes with one thread: there are as many as cores."""

import os

os.environ["OMP_NUM_THREADS"] = "1"
