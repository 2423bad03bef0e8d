"""Instances as releases have stored them, one file each under the number of their state format; they are never written again.

`python -m tests.workflows.golden` writes those of the present format that aren't there yet. A new format gets a new folder, the old ones
stay: `tests/workflows/test_golden.py` loads every one of them and brings it to its end.
"""
