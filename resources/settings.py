"""The only reader of the environment: where the home is, which settings file holds, and what it says.

A wrong value stops everything before anything is opened, and the message names file, field and what is allowed. The
value itself is not repeated: it may be a secret.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from lakehouse.lake import Lake
from resources import strict_yaml

HOME_VARIABLE = "OPENAISLE_HOME"
FILE_VARIABLE = "OPENAISLE_SETTINGS"
DEFAULT_HOME = "var"
DEFAULT_FILE = "settings.yaml"

_ENDPOINTS = ("endpoint", "endpoint_url", "endpoint_url_s3")
_ADDRESS = r"https?://[\w.:\[\]-]+(/[\w./~%-]*)?"
Share = Annotated[float, Field(ge=0.0, le=1.0)]


class SettingsError(Exception):
    """The settings cannot be used; every line of the message is one field. Holds no value of the file."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StorageSettings(_Section):
    """Where the tables lie. An empty `lake` is the folder below the home."""

    lake: str = Field(
        default="",
        pattern=r"^(|/[^%\x00]*|s3://[^/%\x00]+(/[^%\x00]*)?)$",
        description="an absolute folder or s3://bucket/prefix",
    )
    footage: str = Field(default="", pattern=r"^(|/[^\x00]*)$", description="an absolute folder")
    options: dict[str, SecretStr] = Field(
        default_factory=dict, description="names and texts, as AWS_ENDPOINT_URL: http://…"
    )

    @field_validator("options")
    @classmethod
    def _an_endpoint_is_an_address(cls, options: dict[str, SecretStr]) -> dict[str, SecretStr]:
        # The client of buckets breaks on anything else, with a text that quotes it.
        for name, value in options.items():
            is_endpoint = name.lower().removeprefix("aws_") in _ENDPOINTS
            if is_endpoint and not re.fullmatch(_ADDRESS, value.get_secret_value()):
                raise ValueError("not an address")
        return options

    @model_validator(mode="after")
    def _options_need_a_bucket(self) -> Self:
        if self.options and not self.lake.startswith("s3://"):
            raise ValueError("storage options are for a lake at s3://bucket/prefix")
        return self


class DetectorSettings(_Section):
    """Which network finds people. An empty path is the one that ships with the project."""

    model_path: str = Field(default="", pattern=r"^[^\x00]*$", description="path of an ONNX file, or empty")
    precision: Literal["auto", "bf16", "int8", "fp32"] = Field(default="auto", description="auto, bf16, int8 or fp32")


class ReviewSettings(_Section):
    """When a person must look before anything is billed."""

    threshold_prob: Share = Field(default=0.5, description="a number from 0 to 1")


class FileSettings(_Section):
    """What the settings file may say."""

    environment: Literal["local", "production"] = Field(default="local", description="local or production")
    workers: int = Field(default=2, ge=1, le=64, description="a whole number from 1 to 64")
    storage: StorageSettings = Field(default=StorageSettings())
    detector: DetectorSettings = Field(default=DetectorSettings())
    review: ReviewSettings = Field(default=ReviewSettings())


@dataclass(frozen=True)
class Settings:
    """Validated settings and the places that follow from them."""

    home: Path
    file: FileSettings

    @property
    def folders(self) -> Mapping[str, Path]:
        """Every place below the home that may hold files, by name."""
        names = ("landing", "lake", "footage", "warehouse", "keys", "exports", "backups", "dagster", "tmp")
        return {name: self.home / name for name in names}

    @property
    def landing_root(self) -> Path:
        """Where stores deliver."""
        return self.folders["landing"]

    @property
    def footage_root(self) -> Path:
        """Where clips live out their 168 hours."""
        return Path(self.file.storage.footage) if self.file.storage.footage else self.folders["footage"]

    @property
    def warehouse(self) -> Path:
        """The file that analysts open."""
        return self.folders["warehouse"] / "analytics.duckdb"

    @property
    def dagster_home(self) -> Path:
        """Dagster's own storage."""
        return self.folders["dagster"]

    @property
    def storage_options(self) -> dict[str, str]:
        """Options of the object storage, secrets opened: for the storage engine, never for a log."""
        return {name: secret.get_secret_value() for name, secret in self.file.storage.options.items()}

    def lake(self) -> Lake:
        """The tables."""
        return Lake(self.file.storage.lake or str(self.folders["lake"]), self.storage_options)


def load_settings(
    environment: Mapping[str, str] | None = None,
    *,
    home: Path | None = None,
    working_directory: Path | None = None,
) -> Settings:
    """Settings from the environment (OPENAISLE_HOME, OPENAISLE_SETTINGS) and the file it names.

    `home` overrules the variable. Without OPENAISLE_SETTINGS, settings.yaml in the working directory is read if it is
    there. Raises SettingsError.
    """
    variables = os.environ if environment is None else environment
    base = Path.cwd() if working_directory is None else working_directory
    named = variables.get(FILE_VARIABLE, "")
    path = base / (named or DEFAULT_FILE)
    if named and not path.is_file():
        raise SettingsError(f"{FILE_VARIABLE} names a file that is not there")
    content = _read(path) if path.is_file() else {}
    place = home if home is not None else Path(variables.get(HOME_VARIABLE) or DEFAULT_HOME)
    return Settings((base / place).resolve(), _validated(path, content))


def _read(path: Path) -> dict[str, Any]:
    try:
        content = strict_yaml.load(path.read_text(encoding="utf-8"))
    except strict_yaml.NotPlainYaml as error:
        line = f", line {error.line}" if error.line else ""
        said = "a field stands there twice" if error.is_key_twice else "this is not YAML"
        raise SettingsError(f"{path.name}{line}: {said}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{path.name}: this is not UTF-8 text") from None
    except OSError as error:
        raise SettingsError(f"{path.name}: the file cannot be read ({error.strerror})") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise SettingsError(f"{path.name}: the file is not a list of names and values")
    return content


def _validated(path: Path, content: dict[str, Any]) -> FileSettings:
    try:
        return FileSettings.model_validate(content)
    except ValidationError as error:
        lines = [f"{path.name}: {_explain(item['loc'], item['type'])}" for item in error.errors(include_input=False)]
    raise SettingsError("\n".join(sorted(set(lines))))


def _explain(place: tuple[int | str, ...], kind: str) -> str:
    """One wrong field: its name and what is allowed, taken from the field's own description."""
    section: type[BaseModel] = FileSettings
    for depth, part in enumerate(place):
        field = section.model_fields.get(str(part))
        name = ".".join(str(p) for p in place[: depth + 1])
        if field is None:
            where = ".".join(str(p) for p in place[:depth])
            known = ", ".join(section.model_fields)
            return f"{where or 'the file'} has a field that is not known here; allowed are {known}"
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            section = field.annotation
            continue
        return f"{name}: allowed is {field.description}"
    name = ".".join(str(part) for part in place)
    if kind == "value_error":
        return f"{name}.options: allowed only where {name}.lake is s3://bucket/prefix"
    return f"{name}: allowed are the fields {', '.join(section.model_fields)}"
