"""Write the model report."""

from pipeline.flows.exits import leave
from pipeline.flows.setting import open_setting
from pipeline.flows.tell import report


def main() -> None:
    """Write the model report."""
    report(open_setting())


if __name__ == "__main__":
    leave(main)
