"""Say of every snapshot what happened next."""

from pipeline.flows.exits import leave
from pipeline.flows.label import label
from pipeline.flows.setting import open_setting


def main() -> None:
    """Say of every snapshot what happened next."""
    label(open_setting())


if __name__ == "__main__":
    leave(main)
