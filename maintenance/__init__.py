"""Offline work on log and index: fold the log, compare, reconcile, rebuild."""
