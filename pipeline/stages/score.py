"""Score the book of the day and publish it."""

from pipeline.flows.exits import leave
from pipeline.flows.score_day import score
from pipeline.flows.setting import open_setting


def main() -> None:
    """Score the book of the day and publish it."""
    score(open_setting())


if __name__ == "__main__":
    leave(main)
