"""Ledgers of any size: the demo economy's ledger, taken in as usual and repeated with customers of their own.

    python -m benchmarks.big_book FOLDER COPIES

One copy has 2,000 customers, 72 months, 243 thousand invoices and 257 thousand payments. Copies share nothing but
industries, indicators and rates: customers, groups, documents and bank accounts carry the number of their copy.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.params import IngestParams
from pipeline.tables.canonical import MANIFEST, file_hash, read_manifest
from pipeline.tables.contract import Kind
from pipeline.tables.intake import intake
from pipeline.tables.ledger import BY_NAME
from pipeline.tables.writing import write_canonical

if TYPE_CHECKING:
    from collections.abc import Iterator

# Texts by which customers are found to belong together; equal ones would tie the copies to each other.
_TIES = frozenset({"bank_account", "phone", "address"})


def demo_ledger(folder: Path, customers: int = 2000, months: int = 72, seed: int = 1) -> Path:
    """The canonical ledger of the demo economy in `folder`/ledger."""
    # The demo economy needs SciPy's distributions, which take seconds to import.
    from pipeline.tables.demo.book import demo_book, write_demo

    write_demo(demo_book(customers, months, seed), folder / "demo")
    write_canonical(intake(folder / "demo", None, IngestParams()), folder / "ledger")
    return folder / "ledger"


def tiled(ledger: Path, copies: int, folder: Path) -> Path:
    """Writes `copies` copies of a canonical ledger into `folder`, in canonical order, manifest last."""
    folder.mkdir(parents=True)
    manifest = read_manifest(ledger)
    manifest["files"] = {name: _tile(ledger, name, copies, folder) for name in manifest["files"]}
    manifest["data_version"] = hashlib.sha256(f"{manifest['data_version']} x {copies}".encode()).hexdigest()
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return folder


def tiled_source(source: Path, copies: int, folder: Path) -> Path:
    """Writes `copies` copies of a folder as a supplier hands it in, one Parquet file a table."""
    folder.mkdir(parents=True)
    for path in sorted(source.glob("*.parquet")):
        rows = pq.read_table(path)
        with pq.ParquetWriter(folder / path.name, rows.schema, compression="zstd") as writer:
            for copy in _copies(path.stem, rows, copies):
                writer.write_table(copy)
    return folder


def rows_of(ledger: Path) -> dict[str, int]:
    """The number of rows of each table, by the manifest."""
    return {name: told["rows"] for name, told in read_manifest(ledger)["files"].items()}


def _tile(ledger: Path, name: str, copies: int, folder: Path) -> dict[str, Any]:
    rows = pq.read_table(ledger / f"{name}.parquet")
    path = folder / f"{name}.parquet"
    # As the project writes its own files: with page checksums, so that reading them costs the same.
    with pq.ParquetWriter(
        path, rows.schema, compression="zstd", version="2.6", write_page_checksum=True, store_schema=False
    ) as writer:
        for copy in _copies(name, rows, copies):
            writer.write_table(copy)
    return {"sha256": file_hash(path), "bytes": path.stat().st_size, "rows": pq.read_metadata(path).num_rows}


def _copies(name: str, rows: pa.Table, copies: int) -> Iterator[pa.Table]:
    own = [column.name for column in BY_NAME[name] if column.kind is Kind.ID or column.name in _TIES]
    if "customer_id" not in own:
        yield rows
        return
    width = len(str(copies - 1))
    for number in range(copies):
        # The number comes first: copy after copy is then the order of the keys.
        yield _numbered(rows, own, f"{number:0{width}d}.")


def _numbered(rows: pa.Table, own: list[str], number: str) -> pa.Table:
    for column in own:
        texts = pc.binary_join_element_wise(number, rows[column], "")
        rows = rows.set_column(rows.column_names.index(column), rows.schema.field(column), texts)
    return rows


def main() -> None:
    """Writes FOLDER/ledger (the demo's) and FOLDER/tiled."""
    folder, copies = Path(sys.argv[1]), int(sys.argv[2])
    made = tiled(demo_ledger(folder), copies, folder / "tiled")
    print(f"{made}: " + ", ".join(f"{name} {rows:,}" for name, rows in rows_of(made).items()))


if __name__ == "__main__":
    main()
