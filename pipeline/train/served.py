"""The PDs that customers would be served: those with too thin a file by the pool's card, others by the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.score.calibration import log_odds_of_pd, pd_of_log_odds
from pipeline.train.thin_file import thin_or_nobody

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from pipeline.score.model import Model
    from pipeline.score.thin_file import ThinFileRule

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Served:
    """By row the PD that would be served and whether it is that of a thin file; `shift` is what a long-run rate adds to
    the ln odds of good of every one of them, 0 without one."""

    pd: Floats
    is_thin: Bools
    shift: float = 0.0

    @property
    def is_rated(self) -> Bools:
        """Rated by the model itself."""
        return ~self.is_thin

    @property
    def at_observed_rate(self) -> Floats:
        """The PDs with the shift of a long-run rate taken out: at the level of the years that the model was fitted on.

        Outcomes of a few years can judge these. Whether the long run itself is right they cannot: its source vouches
        for that.
        """
        return self.pd if self.shift == 0.0 else pd_of_log_odds(log_odds_of_pd(self.pd) - self.shift)


def served(model: Model, rows: pd.DataFrame, rule: ThinFileRule | None, shift: float = 0.0) -> Served:
    """What the model and its thin-file card would give the rows under the rule of the policy in force; null: nobody is
    thin. The rows hold what both read. Raises MissingInputError as `thin_rows` does."""
    is_thin = thin_or_nobody(rows, rule)
    own = model.pd(rows)
    return Served(np.where(is_thin, model.thin_file.pd_of(rows), own) if is_thin.any() else own, is_thin, shift)
