"""What was true and known on a day: point in time, open items, the default definition."""
