"""A lake in an S3-compatible bucket, for the rooms that read or write one."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lakehouse.lake import Lake

OPTIONS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "us-east-1",
    "AWS_ALLOW_HTTP": "true",
}
"""Storage options, but for the address."""


@pytest.fixture(scope="session")
def bucket_address() -> Iterator[str]:
    """An S3 service on loopback that lets everybody in."""
    with s3_service() as address:
        yield address


@contextmanager
def s3_service(**environment: str) -> Iterator[str]:
    """An S3 service on loopback, in a process of its own: native code holds this one's interpreter while it
    waits. Yields its address."""
    pytest.importorskip("moto.server")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(
        command, env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        else:
            raise TimeoutError("the S3 service did not answer in 20 s")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()


@pytest.fixture(scope="session")
def strict_bucket_address() -> Iterator[str]:
    """An S3 service that knows nobody: every key is a wrong one."""
    with s3_service(INITIAL_NO_AUTH_ACTION_COUNT="0") as address:
        yield address


@pytest.fixture(params=["wrong keys", "no such bucket", "nobody there", "no answer"])
def unusable_bucket(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A settings file whose lake lies in a bucket that cannot be worked in, and what is said of it."""
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{mute.getsockname()[1]}"
        match request.param:
            case "wrong keys":
                address = request.getfixturevalue("strict_bucket_address")
                said = "refuses us (status 403, InvalidAccessKeyId): check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            case "no such bucket":
                address = request.getfixturevalue("bucket_address")
                said = "is not there (status 404, NoSuchBucket): create it, or correct its name"
            case _:
                address, said = nobody, "cannot be reached: check AWS_ENDPOINT_URL"
        if request.param == "no answer":
            mute.listen()
        options = OPTIONS | {"AWS_ENDPOINT_URL": address}
        file = tmp_path_factory.mktemp("unusable") / "settings.yaml"
        file.write_text(json.dumps({"storage": {"lake": "s3://nowhere/lake", "options": options}}))
        yield file, said


@pytest.fixture
def bucket_options(bucket_address: str) -> dict[str, str]:
    return OPTIONS | {"AWS_ENDPOINT_URL": bucket_address}


@pytest.fixture
def bucket_lake(bucket_address: str, bucket_options: dict[str, str], request: Any) -> Lake:
    import boto3  # type: ignore[import-untyped]

    client = boto3.client(
        "s3",
        endpoint_url=bucket_address,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    name = f"lake-{abs(hash(request.node.nodeid)) % 10**10}"
    client.create_bucket(Bucket=name)
    return Lake(f"s3://{name}/lake", bucket_options)
