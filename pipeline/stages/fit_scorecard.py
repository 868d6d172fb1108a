"""Fit and calibrate the scorecard."""

from pipeline.flows.exits import leave
from pipeline.flows.fit_scorecard import fit_scorecard
from pipeline.flows.setting import open_setting


def main() -> None:
    """Fit and calibrate the scorecard."""
    fit_scorecard(open_setting())


if __name__ == "__main__":
    leave(main)
