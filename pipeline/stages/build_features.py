"""Say of every snapshot what was known then."""

from pipeline.flows.build_features import build_features
from pipeline.flows.exits import leave
from pipeline.flows.setting import open_setting


def main() -> None:
    """Say of every snapshot what was known then."""
    build_features(open_setting())


if __name__ == "__main__":
    leave(main)
