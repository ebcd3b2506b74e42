"""What is said of a bucket that cannot be worked in: one sentence, without address, key or the service's own words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lakehouse.files.bucket_access import BucketUnusable, check_bucket
from lakehouse.lake import Lake
from tests.conftest import OPTIONS

KEY = "_engine/preflight"


def test_a_bucket_that_works_is_left_as_it_was(bucket_lake: Lake) -> None:
    bucket_lake.objects.put_bytes(b"x", "other")
    check_bucket(bucket_lake.root, bucket_lake.options, KEY)
    assert [item.key for item in bucket_lake.objects.list()] == ["other"]


def test_what_is_wrong_is_one_sentence(unusable_bucket: tuple[Path, str]) -> None:
    file, said = unusable_bucket
    storage = json.loads(file.read_text())["storage"]
    with pytest.raises(BucketUnusable) as found:
        check_bucket(storage["lake"], storage["options"], KEY)
    sentence = str(found.value)
    assert sentence.startswith(said)
    assert found.value.__context__ is None
    assert not [word for word in ("127.0.0.1", "nowhere", "test", "<", "\n") if word in sentence]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"AWS_ALLOW_HTTP": "false"}, "cannot be reached: check AWS_ENDPOINT_URL (and AWS_ALLOW_HTTP"),
        ({"AWS_ALOW_HTTP": "true"}, "cannot be reached: check AWS_ENDPOINT_URL (and AWS_ALLOW_HTTP"),
    ],
)
def test_options_that_the_client_does_not_take(bucket_address: str, options: dict[str, str], said: str) -> None:
    given = {name: value for name, value in OPTIONS.items() if name != "AWS_ALLOW_HTTP"}
    with pytest.raises(BucketUnusable) as found:
        check_bucket("s3://nowhere/lake", given | options | {"AWS_ENDPOINT_URL": bucket_address}, KEY)
    assert str(found.value).startswith(said)
