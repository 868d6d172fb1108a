"""Ibis' Spark backend, mended where it would silently answer otherwise than DuckDB."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Any

import ibis.expr.datatypes as dt
from ibis.backends.pyspark import Backend
from ibis.backends.pyspark.datatypes import PySparkSchema
from ibis.backends.sql.compilers.base import NULL, STAR, SQLGlotCompiler
from ibis.backends.sql.compilers.pyspark import PySparkCompiler

if TYPE_CHECKING:
    import ibis.expr.operations as ops
    import ibis.expr.types as ir


class EqualCompiler(PySparkCompiler):  # type: ignore[misc]
    """Expressions as SQL of Spark that means what the SQL of DuckDB means."""

    __slots__ = ()

    # NaN is a number here as there; only null is null.
    visit_IsNull = SQLGlotCompiler.visit_IsNull  # noqa: N815
    visit_NotNull = SQLGlotCompiler.visit_NotNull  # noqa: N815

    def visit_CountStar(self, op: ops.CountStar, *, arg: Any, where: Any) -> Any:  # noqa: ARG002, N802
        """Rows where the condition holds: 0, and not null, where it is null for all of them."""
        return self.f.count(STAR if where is None else self.if_(where, 1, NULL))

    def visit_Divide(self, op: ops.Divide, *, left: Any, right: Any) -> Any:  # noqa: N802
        """A quotient of DECIMALs is a double, not a DECIMAL cut off after six digits."""
        left = self.cast(left, dt.float64) if op.left.dtype.is_decimal() else left
        right = self.cast(right, dt.float64) if op.right.dtype.is_decimal() else right
        return super().visit_Divide(op, left=left, right=right)

    def visit_Strip(self, op: ops.Strip, *, arg: Any) -> Any:  # noqa: ARG002, N802
        """Without white space at both ends: spelled as \\v and \\f, Spark would take the letters v and f away too."""
        return self.f.trim(arg, self.f.decode(self.f.unhex(string.whitespace.encode().hex()), "UTF-8"))


class ArrowBackend(Backend):  # type: ignore[misc]
    """The backend of one session; rows come and go as Arrow, since on the way through pandas null becomes NaN."""

    compiler = EqualCompiler()

    def to_pyarrow(self, expr: ir.Expr, /, *, params: Any = None, limit: Any = None, **_: Any) -> Any:
        """What the expression gives, with the types it tells."""
        self._run_pre_execute_hooks(expr)
        table = expr.as_table()
        rows = self._session.sql(self.compile(table, params=params, limit=limit)).toArrow()
        return expr.__pyarrow_result__(rows.cast(table.schema().to_pyarrow()))

    def _register_in_memory_table(self, op: ops.InMemoryTable) -> None:
        rows = op.data.to_pyarrow(op.schema)
        self._session.createDataFrame(rows, PySparkSchema.from_ibis(op.schema)).createOrReplaceTempView(op.name)
