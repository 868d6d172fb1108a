"""Intervals, stability, calibration and discrimination: pure functions of arrays."""
