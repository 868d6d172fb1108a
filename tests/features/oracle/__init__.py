"""The catalogue by plain loops over plain rows, one customer and one day at a time: no library, no engine.

Written from what the definitions say they mean, so that a column is computed twice by two ways of thinking.
"""

from .accounts import accounts
from .accounts_over_time import accounts_over_time
from .agreements import agreements
from .arithmetic import less, months_before, quantile, share, weighted
from .depth import depth
from .links import links
from .outside import outside
from .owing import owing
from .patterns import patterns
from .paying import paydex, paying
from .rolling import rolling
from .trading import trading
from .view import View, known

__all__ = ["View", "columns", "known", "less", "months_before", "paydex", "quantile", "share", "told", "weighted"]

_SUBJECTS = (
    *(paying, owing, trading, accounts, agreements, outside),
    *(patterns, rolling, depth, accounts_over_time, links),
)


def told(view, customer):
    """Every column the loops tell of the customer on the view's day."""
    return {name: value for subject in _SUBJECTS for name, value in subject(view, customer).items()}


def columns(book, customer, day):
    """`told` of a book and a day."""
    return told(View(book, day), customer)
