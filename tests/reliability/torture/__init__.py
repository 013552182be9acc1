"""The fault machine: a workload and faults from a seed, and a checker of all that must hold after.

`python -m tests.reliability.torture` (`make torture`) runs it; docs/reliability.md says how.
"""
