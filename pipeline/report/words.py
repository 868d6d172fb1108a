"""Every word of the report, by key, from one file per language: `templates/words_<language>.yaml`.

Where another kind of data needs other words, a file such as `templates/table_words_<language>.yaml` replaces some keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from pipeline.errors import ParameterError
from pipeline.plain_yaml import read_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Words:
    """The texts of one language; a text may have named places to be filled, such as {n}."""

    language: str
    texts: Mapping[str, str]

    def __call__(self, key: str, **values: object) -> str:
        """The text of a key such as "verdict.title". Raises KeyError on a text or a place that is not there."""
        return self.texts[key].format(**values)

    def has(self, key: str) -> bool:
        """There is a text of that key."""
        return key in self.texts

    def or_name(self, group: str, name: object) -> str:
        """The text `group.name`, or the name itself where nobody worded it: a new cap, a new rule."""
        key = f"{group}.{name}"
        return self.texts[key] if key in self.texts else str(name).replace("_", " ")


@cache
def words_in(language: str, *replaced_by: str) -> Words:
    """The words of a language; `replaced_by` names files of replacing words (`table`, `undated`), the last one wins.

    Raises ParameterError when the report does not speak the language.
    """
    texts = dict(_file(f"words_{language}.yaml", language))
    for kind in replaced_by:
        texts |= _file(f"{kind}_words_{language}.yaml", language)
    return Words(language, texts)


def _file(name: str, language: str) -> dict[str, str]:
    source = resources.files("pipeline.report") / "templates" / name
    if not source.is_file():
        raise ParameterError(f"report.language: there are no words in {language!r}; add templates/{name} or choose en")
    return _flat(read_yaml(source.read_text(encoding="utf-8"), name))


def _flat(section: Mapping[str, Any], path: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in section.items():
        name = f"{path}.{key}" if path else str(key)
        found.update(_flat(value, name) if isinstance(value, dict) else {name: " ".join(str(value).split())})
    return found
