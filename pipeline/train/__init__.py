"""Fit: splits, binning, scorecard, booster, calibration, validation."""
