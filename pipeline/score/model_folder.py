"""Models on disk: `models/<version>/` of text files, each hash checked before a library opens one."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Literal, cast

import pandas as pd

from pipeline.durable import replace_text, write_folder
from pipeline.errors import DamagedModelError, MissingInputError
from pipeline.score.adverse import AdverseValues
from pipeline.score.booster import Booster
from pipeline.score.calibration import Calibration
from pipeline.score.model import Golden, Model, Predictor, check_golden, golden_of
from pipeline.score.points import Scaling
from pipeline.score.scorecard import Scorecard, fold
from pipeline.score.segment_shifts import SegmentShifts, ShiftedBooster
from pipeline.score.thin_file import ThinFile

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FORMAT = 2
Role = Literal["champion", "challenger"]
_PREDICTOR_FILES = {"scorecard": ("scorecard.json",), "booster": ("booster.txt", "booster.json")}
# Every command that moves or mirrors a role restores its file first.
_AGAIN = "creditbook run, promote or rollback write it again from models/REGISTER.md"
# Of a booster with levels by segment of customers; a card has them among its points.
_SHIFTS = "segment_shifts.json"
# Of a booster, what may be told as a reason; a card has it in its points, and older boosters are without.
_ADVERSE = "adverse.json"
_FILES = ("calibration.json", "catalogue.json", "thin_file.json", "development.json", "golden.json")


def write_model(models: Path, model: Model, golden_rows: pd.DataFrame) -> str:
    """Writes `models/<version>/` aside, then renames it in; returns the version.

    A straight calibration of a scorecard is folded into its points. A version that is already there is left as it is.
    """
    settled = _settled(model)
    settled = replace(settled, golden=golden_of(settled, golden_rows))
    files = {name: text.encode() for name, text in _texts(settled).items()}
    manifest: dict[str, Any] = {
        "format": FORMAT,
        "kind": settled.kind,
        "basis": settled.basis,
        "label": dict(settled.label),
        "features": list(settled.features),
        "scaling": asdict(settled.scaling),
        "catalogue_hash": settled.catalogue_hash,
        "files": {
            name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
            for name, content in sorted(files.items())
        },
    }
    version = _version_of(manifest)
    files["manifest.json"] = _json({"version": version, **manifest}).encode()
    write_folder(models / version, files, last="manifest.json")
    return version


def read_model(folder: Path) -> Model:
    """Reads a model folder. Raises MissingInputError when it or a file is missing, DamagedModelError when a hash, the
    version or a golden row does not hold."""
    manifest = _manifest(folder)
    texts = _checked_texts(folder, manifest)
    try:
        model = Model(
            kind=manifest["kind"],
            # Folders written before there were expert cards name no basis.
            basis=manifest.get("basis", "fitted"),
            adverse=AdverseValues.from_json(texts[_ADVERSE]) if _ADVERSE in texts else None,
            version=manifest["version"],
            label=manifest["label"],
            features=tuple(manifest["features"]),
            catalogue=json.loads(texts["catalogue.json"]),
            predictor=predictor_of(manifest["kind"], texts),
            calibration=Calibration.from_json(texts["calibration.json"]),
            scaling=Scaling(**manifest["scaling"]),
            thin_file=ThinFile.from_json(texts["thin_file.json"]),
            development=json.loads(texts["development.json"]),
            golden=_golden(texts["golden.json"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedModelError(f"{folder}: a model file has no meaning ({error!r}); fit the model again") from error
    check_golden(model)
    return model


def read_role(models: Path, role: Role) -> Model:
    """The model in force in that role. Raises MissingInputError when no model holds the role."""
    return read_model(models / role_version(models, role))


def role_version(models: Path, role: Role) -> str:
    """The version named by `models/<role>.json`. Raises MissingInputError when there is none, DamagedModelError when it
    names nothing."""
    path = models / f"{role}.json"
    try:
        named = json.loads(path.read_text(encoding="utf-8"))["model_version"]
    except FileNotFoundError:
        raise MissingInputError(f"{path} is missing: no model is {role}; run the training stages first") from None
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedModelError(f"{path} names no model ({error!r}); {_AGAIN}") from error
    if not isinstance(named, str) or not named or "/" in named or named.startswith("."):
        raise DamagedModelError(f"{path} names {named!r}, which is no model version; {_AGAIN}")
    return named


def write_role(models: Path, role: Role, record: Mapping[str, Any]) -> None:
    """Replaces `models/<role>.json`; the record holds at least `model_version` and `since`."""
    if not (models / str(record["model_version"]) / "manifest.json").is_file():
        raise MissingInputError(f"{models}: no model {record['model_version']!r} to make {role}; fit it first")
    replace_text(models / f"{role}.json", _json(dict(record)))


def predictor_texts(predictor: Predictor) -> dict[str, str]:
    """The text files a predictor is, by name; every number keeps every digit."""
    if isinstance(predictor, Scorecard):
        return {"scorecard.json": predictor.to_json()}
    if isinstance(predictor, ShiftedBooster):
        return {**predictor_texts(predictor.booster), _SHIFTS: predictor.shifts.to_json()}
    booster = cast("Booster", predictor)
    return {"booster.txt": booster.text, "booster.json": booster.columns_json()}


def predictor_of(kind: str, texts: Mapping[str, str]) -> Predictor:
    """Reads `predictor_texts` whose hash was checked. Raises DamagedModelError when they have no meaning."""
    if kind == "scorecard":
        return Scorecard.from_json(texts["scorecard.json"])
    booster = Booster.from_files(texts["booster.txt"], texts["booster.json"])
    return ShiftedBooster(booster, SegmentShifts.from_json(texts[_SHIFTS])) if _SHIFTS in texts else booster


def _settled(model: Model) -> Model:
    if not isinstance(model.predictor, Scorecard):
        return model
    card, calibration = fold(model.predictor, model.calibration)
    return replace(model, predictor=card, calibration=calibration)


def _texts(model: Model) -> dict[str, str]:
    texts = {
        "calibration.json": model.calibration.to_json(),
        "catalogue.json": _json(list(model.catalogue)),
        "thin_file.json": model.thin_file.to_json(),
        "development.json": _json(dict(model.development)),
        "golden.json": _golden_json(model),
    }
    if model.adverse is not None:
        texts[_ADVERSE] = model.adverse.to_json()
    return {**predictor_texts(model.predictor), **texts}


def _golden_json(model: Model) -> str:
    golden = cast("Golden", model.golden)
    rows = golden.features.astype(object).where(golden.features.notna(), None)
    return _json(
        {
            "features": {name: rows[name].tolist() for name in rows.columns},
            **{name: getattr(golden, name) for name in ("log_odds", "pd", "thin_pd")},
        }
    )


def _golden(text: str) -> Golden:
    raw = json.loads(text)
    columns = {
        name: pd.Series(values, dtype=object if any(isinstance(v, str) for v in values) else "float64")
        for name, values in raw["features"].items()
    }
    return Golden(pd.DataFrame(columns), *(tuple(raw[name]) for name in ("log_odds", "pd", "thin_pd")))


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / "manifest.json"
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise MissingInputError(f"{path} is missing; fit the model or correct the version in the role file") from None
    except ValueError as error:
        raise DamagedModelError(f"{path} is no JSON ({error}); restore it or fit the model again") from error
    if not isinstance(manifest, dict):
        raise DamagedModelError(f"{path} describes no model; restore it or fit the model again")
    told = {key: value for key, value in manifest.items() if key != "version"}
    if not isinstance(manifest.get("files"), dict) or manifest.get("kind") not in _PREDICTOR_FILES:
        raise DamagedModelError(f"{path} lists no files or no known kind; restore it or fit the model again")
    if not manifest.get("version") == folder.name == _version_of(told):
        raise DamagedModelError(
            f"{path} does not belong to version {folder.name!r}: it was changed after it was written; "
            "restore it or fit the model again"
        )
    return manifest


def _checked_texts(folder: Path, manifest: Mapping[str, Any]) -> dict[str, str]:
    some = [name for name in (_SHIFTS, _ADVERSE) if name in manifest["files"]]
    needed = (*_PREDICTOR_FILES[manifest["kind"]], *_FILES, *some)
    missing = [name for name in needed if not (folder / name).is_file()]
    if missing:
        raise MissingInputError(f"{folder}: {len(missing)} model file(s) missing: {', '.join(missing)}; restore them")
    contents = {name: (folder / name).read_bytes() for name in needed}
    damaged = [
        name
        for name, content in contents.items()
        if hashlib.sha256(content).hexdigest() != manifest["files"].get(name, {}).get("sha256")
    ]
    if damaged:
        raise DamagedModelError(
            f"{folder}: {len(damaged)} of {len(needed)} files are not what the manifest says: {', '.join(damaged)}; "
            "restore them or fit the model again"
        )
    return {name: content.decode("utf-8") for name, content in contents.items()}


def _version_of(manifest: Mapping[str, Any]) -> str:
    # Every row of a scored book names the version, and so an expert card.
    mark = "expert-" if manifest.get("basis") == "expert" else ""
    return f"{manifest['kind']}-{mark}{hashlib.sha256(_json(manifest).encode()).hexdigest()[:12]}"


def _json(value: object) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False, sort_keys=True, allow_nan=False) + "\n"
