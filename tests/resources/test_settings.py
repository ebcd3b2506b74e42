"""The settings file: what it may say, and what is said of what it may not."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from resources.settings import FileSettings, SettingsError, load_settings

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


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("workers: " + "9" * 400, "workers: allowed is a whole number from 1 to 64"),
        ("workers: " + "9" * 5_000, "this is not YAML"),
        ("review: {threshold_prob: " + "9" * 400 + "}", "review.threshold_prob: allowed is a number from 0 to 1"),
        ("workers: 2026-02-30", "workers: allowed is a whole number from 1 to 64"),
        ("workers: " + "[" * 3_000, "this is not YAML"),
        ('detector: {model_path: "\\ud800"}', "detector.model_path: allowed is"),
        ("workers: 1\nworkers: 2", "line 2: a field stands there twice"),
        ("workers: !!python/name:os.system", "line 1: this is not YAML"),
        ("1: 2", "the file has a field that is not known here"),
        (
            "storage: {lake: 's3://b/p', options: {AWS_ENDPOINT_URL: 'not an address'}}",
            "storage.options: allowed is names and texts, as AWS_ENDPOINT_URL: http://…",
        ),
    ],
)
def test_what_no_program_can_hold_is_an_error_like_any_other(tmp_path: Path, text: str, said: str) -> None:
    assert said in load(tmp_path, text)


SECRET = "hunter2"
value = st.recursive(
    st.sampled_from([SECRET, int("9" * 400), "\ud800", "\x00", "/" + SECRET, "s3://b/p", 2**63, True, None, 1e308, ""])
    | st.integers(-1, 70)
    | st.floats(),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["lake", "options", "workers", "storage", "review", "threshold_prob", "detector", SECRET]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=60),
        st.dictionaries(st.sampled_from([*FileSettings.model_fields, SECRET]), value, max_size=3).map(
            lambda found: yaml.safe_dump(found).encode()
        ),
    )
)
def test_any_file_is_settings_or_one_error_that_repeats_nothing(
    tmp_path_factory: pytest.TempPathFactory, raw: bytes
) -> None:
    folder = tmp_path_factory.mktemp("settings")
    (folder / "settings.yaml").write_bytes(raw)
    said: SettingsError | None = None
    try:
        load_settings({}, working_directory=folder)
    except SettingsError as error:
        said = error
    assert SECRET not in str(said)
    assert said is None or said.__cause__ is None
