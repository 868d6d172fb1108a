"""Fit and calibrate the scorecard."""

from pipeline.flows.exits import leave
from pipeline.flows.setting import open_setting
from pipeline.flows.fit import fit_scorecard


def main() -> None:
    """Fit and calibrate the scorecard."""
    fit_scorecard(open_setting())


if __name__ == "__main__":
    leave(main)
