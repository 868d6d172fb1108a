"""Measure, explain and register both models."""

from pipeline.flows.exits import leave
from pipeline.flows.setting import open_setting
from pipeline.flows.validate import validate


def main() -> None:
    """Measure, explain and register both models."""
    validate(open_setting())


if __name__ == "__main__":
    leave(main)
