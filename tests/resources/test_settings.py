"""The settings file: what it may say, and what is said of what it may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from resources.settings import SettingsError, load_settings

REPOSITORY = Path(__file__).resolve().parents[2]


def load(folder: Path, text: str) -> str:
    (folder / "settings.yaml").write_text(text)
    with pytest.raises(SettingsError) as raised:
        load_settings({}, working_directory=folder)
    assert raised.value.__cause__ is None
    return str(raised.value)


def test_defaults_need_no_file(tmp_path: Path) -> None:
    settings = load_settings({}, working_directory=tmp_path)
    assert settings.home == tmp_path / "var"
    assert settings.lake().root == str(tmp_path / "var" / "lake")


def test_the_example_states_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "settings.yaml").write_text((REPOSITORY / "settings.example.yaml").read_text())
    assert (
        load_settings({}, working_directory=tmp_path).file
        == load_settings({}, working_directory=REPOSITORY / "docs").file
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("workers: zwei", "settings.yaml: workers: allowed is a whole number from 1 to 64"),
        ("workers: 0", "workers: allowed is a whole number from 1 to 64"),
        ("review: {threshold_prob: 2}", "review.threshold_prob: allowed is a number from 0 to 1"),
        ("environment: staging", "environment: allowed is local or production"),
        ("detector: {precision: fp8}", "detector.precision: allowed is auto, bf16, int8 or fp32"),
        (
            "storage: {lak: x}",
            "storage has a field that is not known here; allowed are lake, footage, options",
        ),
        (
            "storage: {lake: relative/path}",
            "storage.lake: allowed is an absolute folder or s3://bucket/prefix",
        ),
        ("- a list", "the file is not a list of names and values"),
        ("workers: [", "this is not YAML"),
    ],
)
def test_a_wrong_value_names_file_field_and_what_is_allowed(tmp_path: Path, text: str, said: str) -> None:
    assert said in load(tmp_path, text)


def test_no_value_is_repeated(tmp_path: Path) -> None:
    message = load(tmp_path, "storage: {options: {AWS_SECRET_ACCESS_KEY: hunter2}, lake: hunter2}\nworkers: hunter2\n")
    assert "hunter2" not in message


def test_a_bucket_by_configuration_alone(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text("storage: {lake: 's3://b/p', options: {AWS_SECRET_ACCESS_KEY: hunter2}}")
    settings = load_settings({"OPENAISLE_SETTINGS": "other.yaml", "OPENAISLE_HOME": "/h"}, working_directory=tmp_path)
    assert (settings.home, settings.lake().root) == (Path("/h"), "s3://b/p")
    assert settings.storage_options == {"AWS_SECRET_ACCESS_KEY": "hunter2"}
    assert "hunter2" not in repr(settings)


def test_a_named_file_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="names a file that is not there"):
        load_settings({"OPENAISLE_SETTINGS": "nowhere.yaml"}, working_directory=tmp_path)
