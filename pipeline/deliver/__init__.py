"""Hand on: a published run into a database or a lake, whole or not at all (docs/targets.md)."""
