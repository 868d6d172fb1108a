"""Take in the ledger."""

from pipeline.flows.exits import leave
from pipeline.flows.ingest import ingest
from pipeline.flows.setting import open_setting


def main() -> None:
    """Take in the ledger."""
    ingest(open_setting())


if __name__ == "__main__":
    leave(main)
