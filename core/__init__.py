"""The shared language: records, errors, protocols, settings and metric names. Imports no other package of ours."""
