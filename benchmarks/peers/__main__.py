"""`python -m benchmarks.peers`: install the peers."""

import sys

from benchmarks.peers import install

sys.exit(install())
