"""Measure drift and keep it."""

from pipeline.flows.exits import leave
from pipeline.flows.monitor import monitor
from pipeline.flows.setting import open_setting


def main() -> None:
    """Measure drift and keep it."""
    monitor(open_setting())


if __name__ == "__main__":
    leave(main)
