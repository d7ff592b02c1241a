"""A run with several hosts, such as scripts that share a run directory.

links    a connection to each host
session  commands to the host that trains a variant
"""
