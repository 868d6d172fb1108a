"""What every export tells of a scorecard: the card, its calibration, its names and one customer to work by hand."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipeline.errors import ParameterError
from pipeline.score.scorecard import Scorecard

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.score.calibration import Calibration
    from pipeline.score.model import Model
    from pipeline.score.scorecard import Bin, Characteristic
    from pipeline.score.thin_file import ThinFileRule

# Signs that neither XML nor a workbook can carry.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


@dataclass(frozen=True)
class ExportedCard:
    """A card with what stands beside it. `basis` is fitted or expert; `catalogue` has the entry of each feature;
    `thin_rule` is that of the thin file by which the model was fitted.

    `worked` maps each feature to one customer's value (None: no value); null where no customer is at hand.
    """

    version: str
    basis: str
    label: Mapping[str, Any]
    card: Scorecard
    calibration: Calibration
    thin_rule: ThinFileRule
    catalogue: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    worked: Mapping[str, Any] | None = None

    def title(self, feature: str) -> str:
        """The feature's English title, or its name where it has none."""
        return str(self.catalogue.get(feature, {}).get("title_en") or feature)

    def reason_code(self, feature: str) -> str:
        """The code under which the scored book names the feature among its reasons: its idea in capitals."""
        return str(self.catalogue.get(feature, {}).get("idea") or feature).upper()

    @property
    def label_text(self) -> str:
        """What the PD is the probability of, such as "default, 90 days, within 12 months"."""
        label = self.label
        days = f", {label['days']} days" if label.get("days") is not None else ""
        months, spell = label.get("window_months"), label.get("window_days")
        window = f", within {months} months" if months else f", within {spell} days" if spell else ""
        return f"{label.get('kind', 'the label of the model')}{days}{window}"

    @property
    def has_outcomes(self) -> bool:
        """Bad rows and information values were counted: an expert card has none, for no outcome entered it."""
        return self.basis != "expert"

    @property
    def basis_text(self) -> str:
        """One sentence on what the points rest on."""
        if self.basis == "expert":
            return (
                "EXPERT CARD: the points were set by people, not fitted to outcomes; the model report says whether "
                "outcomes could test how well they tell bad customers from good ones."
            )
        return "The points were fitted to the outcomes of the development book."

    @property
    def scope_text(self) -> str:
        """One sentence on whom the card must not rate, by the rule of policy/thin_file.yaml it was fitted under."""
        if self.label.get("kind") == "target":
            return "Whom the card must not rate, only the owner of the table it was fitted on can tell."
        due, months = self.thin_rule.min_invoices_due_12m, self.thin_rule.min_history_months
        told = [f"fewer than {due} invoice(s) due in 12 months (invoices_due_12m_count)"] if due else []
        told += [f"fewer than {months} full month(s) of history (history_months)"] if months else []
        if not told:
            return "The card must not rate a customer in default."
        return (
            f"The card must not rate a customer with {' or '.join(told)}, whom the thin-file model rates "
            "(policy/thin_file.yaml when the card was fitted), nor one in default."
        )


def exported_card(model: Model) -> ExportedCard:
    """The card of a model. Raises ParameterError for a booster, which is no table of points."""
    card = model.predictor
    if not isinstance(card, Scorecard):
        raise ParameterError(
            f"export-card: {model.version} is a {model.kind}, which has no table of points; name a scorecard"
        )
    worked = None
    if model.golden is not None and len(model.golden.features):
        rows = model.golden.features
        first = rows.iloc[int(rows.isna().sum(axis=1).to_numpy().argmin())]
        worked = {name: None if value_is_null(first[name]) else first[name] for name in card.features}
    return ExportedCard(
        version=model.version,
        basis=model.basis,
        label=model.label,
        card=card,
        calibration=model.calibration,
        thin_rule=model.thin_file.rule,
        catalogue=model.catalogue_by_name,
        worked=worked,
    )


def difference(characteristic: Characteristic, bin_: Bin) -> float:
    """Points of a bin against the mean of the development book: below 0 it speaks against the customer."""
    return bin_.points - characteristic.mean_points


def value_is_null(value: object) -> bool:
    """None, or NaN as pandas has it."""
    return value is None or value != value  # noqa: PLR0124


def require_plain_text(exported: ExportedCard, form: str) -> None:
    """Raises ParameterError when a category or a title of the card holds a sign that the form cannot carry."""
    texts = [
        text
        for c in exported.card.characteristics
        for text in (c.feature, exported.title(c.feature), *(name for b in c.bins for name in b.categories or ()))
    ]
    wrong = [text for text in texts if _UNPRINTABLE.search(text)]
    if wrong:
        raise ParameterError(
            f"export-card: {len(wrong)} text(s) of the card hold control characters, which {form} cannot carry, e.g. "
            f"{wrong[0]!r}; export it as json or sql, or mend the values in the ledger"
        )
