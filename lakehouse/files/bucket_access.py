"""Whether a bucket can be worked in: asked before anything is read or computed, and answered in one sentence."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta

from obstore.exceptions import BaseError

from lakehouse.files.bucket import BucketObjects

_PATIENCE = timedelta(seconds=5)
"""A service that takes longer for one byte cannot be worked with."""
_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>([A-Za-z]{1,40})</Code>")


class BucketUnusable(Exception):
    """A bucket refuses, is not there or cannot be reached. The message says which, by the service's own code, and what
    to look at; it holds no address and no key."""


def check_bucket(root: str, storage_options: Mapping[str, str], key: str) -> None:
    """Writes, lists and removes a byte at a key that nothing else uses. Raises BucketUnusable."""
    try:
        objects = BucketObjects(root, storage_options, _PATIENCE)
        objects.put_bytes(b"x", key)
        next(iter(objects.list(key)), None)
        objects.delete(key)
    except (BaseError, OSError, ValueError) as error:
        said = str(error)
    else:
        return
    # Raised out here, not in the handler: the client's own words quote addresses and the service's whole answer.
    raise BucketUnusable(_explained(said))


def _explained(said: str) -> str:
    code = found[1] if (found := _CODE.search(said)) else ""
    status = found[1] if (found := _STATUS.search(said)) else ""
    answer = f"status {status}{code and f', {code}'}"
    match status:
        case "":
            return (
                "cannot be reached: check AWS_ENDPOINT_URL (and AWS_ALLOW_HTTP for an address with http), that the "
                "service runs, and the network"
            )
        case "401" | "403":
            return (
                f"refuses us ({answer}): check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and that they may read, "
                "write, list and remove there"
            )
        case "404":
            return f"is not there ({answer}): create it, or correct its name"
        case "500" | "502" | "503" | "504":
            return f"has a service that fails ({answer}): wait until it works again"
    return f"cannot be used ({answer}): check its name, AWS_REGION and AWS_ENDPOINT_URL"
