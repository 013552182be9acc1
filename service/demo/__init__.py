"""The service at work before a stranger's eyes: real servers, a simulated upstream, a live view.

`play` runs it inside a `Stack`; `summary` says afterwards whether everything came out right.
"""
