"""The chapters of the report on a replayed policy."""
