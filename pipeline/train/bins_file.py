"""Bins as a plain file that an analyst may edit: every fit writes one, and the next reads what was set by hand."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipeline.errors import ParameterError
from pipeline.plain_yaml import read_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.score.scorecard import Characteristic
    from pipeline.train.binning import Binning


# Signs of a value that a refusal repeats.
_LONGEST_TOLD = 60


@dataclass(frozen=True)
class Cuts:
    """Where one feature is cut: `splits` rising for a number, `groups` of texts for a category; the other is null."""

    splits: tuple[float, ...] | None = None
    groups: tuple[tuple[str, ...], ...] | None = None

    def as_json(self) -> list[Any]:
        """Plain values."""
        return list(self.splits) if self.splits is not None else [list(group) for group in self.groups or ()]


def cuts_of(characteristic: Characteristic) -> Cuts:
    """The cuts of bins that were fitted."""
    if characteristic.holds_categories:
        return Cuts(groups=tuple(b.categories or () for b in characteristic.bins if b.kind == "categories"))
    return Cuts(splits=characteristic.splits)


def bins_text(binning: Binning) -> str:
    """All bins as YAML. Cuts are read again as they stand; counts and weights of evidence are told as comments."""
    lines = [
        "# Bins of every feature that could be binned. To set some by hand, copy them to policy/bins.yaml and change",
        "# splits or groups; counts and weights of evidence (positive is safer) are told here and fitted anew.",
    ]
    for name in sorted(binning.characteristics):
        lines += _entry(binning.characteristics[name])
    lines += [f"# {name}: not binned, {reason}" for name, reason in sorted(binning.unbinnable.items())]
    return "\n".join(lines) + "\n"


def parse_bins(text: str, origin: str, catalogue: Sequence[Mapping[str, Any]]) -> dict[str, Cuts]:
    """The bins set by hand, by feature. Raises ParameterError telling every breach at once."""
    raw = read_yaml(text, origin)
    if not isinstance(raw, dict):
        raise ParameterError(f"{origin}: expected features with their bins, found {type(raw).__name__}; see its head")
    holds = {str(f["name"]): str(f["holds"]) for f in catalogue}
    found: dict[str, Cuts] = {}
    breaches: list[str] = []
    for name, entry in raw.items():
        if name not in holds:
            breaches.append(f"{name}: no feature of the catalogue has this name")
            continue
        key = "groups" if holds[name] == "category" else "splits"
        if not isinstance(entry, dict) or set(entry) != {key} or not isinstance(entry[key], list):
            breaches.append(f"{name}: expected {key} with a list, and nothing else, found {entry!r}")
            continue
        told = _splits(entry[key]) if key == "splits" else _groups(entry[key])
        if isinstance(told, str):
            breaches.append(f"{name}.{key}: {told}")
        else:
            found[name] = told
    if breaches:
        listed = "\n".join(f"  - {breach}" for breach in breaches)
        raise ParameterError(f"{origin}: {len(breaches)} breach(es):\n{listed}\nCorrect them; no bin was taken.")
    return found


def _splits(values: list[Any]) -> Cuts | str:
    told = [(value, _float(value)) for value in values]
    strange = [value for value, number in told if number is None]
    if strange:
        return f"expected numbers, found {_short(strange[0])}"
    numbers = tuple(number for _, number in told if number is not None)
    if any(b <= a for a, b in itertools.pairwise(numbers)):
        return f"the splits must rise, found {values}"
    return Cuts(splits=numbers)


def _float(value: object) -> float | None:
    """The number; null where there is none, or none that a double holds. YAML takes 1e6 for a text: it is read too."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_TOLD else f"{text[:_LONGEST_TOLD]}… ({len(text)} signs)"


def _groups(values: list[Any]) -> Cuts | str:
    if not all(isinstance(group, list) and group and all(isinstance(v, str) for v in group) for group in values):
        return f"expected lists of texts, none empty (quote what looks like a number or yes/no), found {values}"
    twice = [text for text, count in Counter(itertools.chain.from_iterable(values)).items() if count > 1]
    if twice:
        return f"{len(twice)} text(s) stand in two groups, e.g. {twice[0]!r}"
    return Cuts(groups=tuple(tuple(sorted(group)) for group in values))


def _entry(characteristic: Characteristic) -> list[str]:
    cuts = cuts_of(characteristic)
    head = [f"{characteristic.feature}:  # IV {characteristic.iv:.4f}, risk {characteristic.risk}"]
    if cuts.splits is not None:
        head.append(f"  splits: [{', '.join(exact_number(s) for s in cuts.splits)}]")
    else:
        head.append("  groups:")
        head += [f"    - [{', '.join(_quoted(c) for c in group)}]" for group in cuts.groups or ()]
    told = [b for b in characteristic.bins if b.count]
    return head + [f"  # {b.label}: {b.count:,} snapshots, {b.bads:,} bad, WoE {b.woe:+.4f}" for b in told]


def exact_number(value: float) -> str:
    """The shortest plain decimal that reads back to the same double, without an exponent.

    >>> exact_number(30.0), exact_number(2e6), exact_number(1e-05), exact_number(0.1 + 0.2)
    ('30', '2000000', '0.00001', '0.30000000000000004')
    """
    text = format(Decimal(repr(float(value))), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def told_number(value: float) -> str:
    """A cut set by hand as it is shown: with six digits where these read back to the same double, else with all.

    >>> told_number(30.0), told_number(2e6), told_number(1234567.25)
    ('30', '2e+06', '1234567.25')
    """
    short = f"{value:g}"
    return short if float(short) == value else exact_number(value)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
