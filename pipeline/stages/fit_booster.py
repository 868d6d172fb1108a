"""Fit and calibrate the booster."""

from pipeline.flows.exits import leave
from pipeline.flows.fit_booster import fit_booster
from pipeline.flows.setting import open_setting


def main() -> None:
    """Fit and calibrate the booster."""
    fit_booster(open_setting())


if __name__ == "__main__":
    leave(main)
