"""The shared language: records, errors, ports, settings and metric names. Imports nothing of ours."""
