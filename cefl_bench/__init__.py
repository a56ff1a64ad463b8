"""A benchmark toolkit for video-based facial expression recognition."""

import os

__version__ = "0.2.0.dev0"

# Read once, when torch is first imported. Without it every thread of a convolution spins while it waits for the others,
# and beside data workers, or any other load on the machine, training on a CPU becomes several times slower.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
