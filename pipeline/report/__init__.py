"""Tell: data dictionary and model report."""
