"""The chapters of the model report: each turns what was measured into blocks."""
