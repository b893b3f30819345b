"""Delivery guarantees: no record is lost or reordered. No I/O; clocks and random generators are passed in."""
