"""Every word of the reports, by key: one folder per language, `templates/words/<language>`, one file per chapter.

All files of a folder are merged. Where another kind of data or a candidate needs other words, a file such as
`templates/replacing_words/<language>/table.yaml` replaces some keys.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from pipeline.errors import ParameterError
from pipeline.plain_yaml import read_yaml
from pipeline.report import figures
from pipeline.report.sentences import translated

if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.resources.abc import Traversable

_BROKEN = re.compile("(?<=[\u2e80-\u9fff\uff00-\uff65]) (?=[\u2e80-\u9fff\uff00-\uff65])")


@dataclass(frozen=True)
class Words:
    """The texts of one language; a text may have named places to be filled, such as {n}."""

    language: str
    texts: Mapping[str, str]

    def __call__(self, key: str, **values: object) -> str:
        """The text of a key such as "verdict.title". Raises KeyError on a text or a place that is not there."""
        return self.texts[key].format(**values)

    def counted(self, noun: str, n: object) -> str:
        """So many of a thing, such as "1 snapshot" and "2 snapshots"; a dash for a number that is not known."""
        return self(f"counted.{noun}.{'one' if n == 1 else 'many'}", n=figures.count(n))

    def has(self, key: str) -> bool:
        """There is a text of that key."""
        return key in self.texts

    def or_name(self, group: str, name: object) -> str:
        """The text `group.name`, or the name itself where nobody worded it: a new cap, a new rule."""
        key = f"{group}.{name}"
        return self.texts[key] if key in self.texts else str(name).replace("_", " ")

    def or_same(self, group: str, name: str) -> str:
        """The text `group.name`, or the name as it stands: of data, which may hold anything."""
        return self.texts.get(f"{group}.{name}", name)

    def told(self, sentence: object) -> str:
        """A sentence that was told in English, in this language where it is known; otherwise as it was told."""
        return str(sentence) if self.language == "en" else translated(str(sentence), self.language)


@cache
def words_in(language: str, *replaced_by: str) -> Words:
    """The words of a language; `replaced_by` names files of replacing words (`table`, `undated`, `candidate`), the
    last one wins.

    Raises ParameterError when the report does not speak the language, or when two files tell the same key.
    """
    texts: dict[str, str] = {}
    told_in: dict[str, str] = {}
    for name, section in _files(f"words/{language}", language):
        twice = sorted(texts.keys() & section.keys())
        if twice:
            raise ParameterError(
                f"report words in {language!r}: {len(twice)} key(s) of {name} stand in another file too, e.g. "
                f"{twice[0]} in {told_in[twice[0]]}; leave one of them"
            )
        texts |= section
        told_in |= dict.fromkeys(section, name)
    replacing = dict(_files(f"replacing_words/{language}", language))
    for kind in replaced_by:
        texts |= replacing[f"{kind}.yaml"]
    return Words(language, texts)


def languages() -> tuple[str, ...]:
    """The languages the report speaks."""
    return tuple(sorted(folder.name for folder in (_templates() / "words").iterdir() if folder.is_dir()))


def _files(folder: str, language: str) -> list[tuple[str, dict[str, str]]]:
    """Every file of a folder of words, by name, with its texts by key."""
    source = _templates().joinpath(*folder.split("/"))
    if not source.is_dir():
        raise ParameterError(
            f"report.language: there are no words in {language!r}; add pipeline/report/templates/{folder} "
            f"or choose of {', '.join(languages())}"
        )
    found = sorted((file for file in source.iterdir() if file.name.endswith(".yaml")), key=lambda file: file.name)
    return [(file.name, _flat(read_yaml(file.read_text(encoding="utf-8"), f"{folder}/{file.name}"))) for file in found]


def _templates() -> Traversable:
    return resources.files("pipeline.report") / "templates"


def _flat(section: Mapping[str, Any], path: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in section.items():
        name = f"{path}.{key}" if path else str(key)
        found.update(_flat(value, name) if isinstance(value, dict) else {name: _in_a_line(str(value))})
    return found


def _in_a_line(text: str) -> str:
    """One line; a line that was broken between Chinese characters is joined without a space."""
    return _BROKEN.sub("", " ".join(text.split()))
