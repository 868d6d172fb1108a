"""The chapters of the portfolio report."""
