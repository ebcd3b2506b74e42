"""What a command needs before it starts: a home that can be written, room on its disk, a bucket that answers, a network
to look with, a free port. What is missing is one sentence that says what to do."""

from __future__ import annotations

import errno
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

from lakehouse.lake import ENGINE_FOLDER
from resources.settings import HOME_VARIABLE, Settings

LEAST_FREE_MB = 200
"""A store-day of tables, the analysts' file built beside the old one, and Dagster's record take less."""

LEAST_RECORD_MB = 5
"""Dagster's SQLite files cannot be opened with less."""


class NotReady(Exception):
    """Something that the command needs is missing. The message is one sentence, with what to do."""


def check_record(settings: Settings) -> None:
    """That Dagster's record can be kept: without it no command can begin. Raises NotReady."""
    _check_folder(settings.home)
    _check_folder(settings.dagster_home)
    if shutil.disk_usage(settings.dagster_home).free < LEAST_RECORD_MB * 1_000_000:
        raise NotReady(said_of(OSError(errno.ENOSPC, "full"), settings.home))


def check_home(settings: Settings) -> None:
    """That every folder of the home can be written, and has room. Raises NotReady. For after the sweep, which needs
    neither, and makes room."""
    for folder in _folders(settings):
        _check_folder(folder)
        free_mb = shutil.disk_usage(folder).free // 1_000_000
        if free_mb < LEAST_FREE_MB:
            raise NotReady(f"{folder} has {free_mb} MB left and a run needs {LEAST_FREE_MB}: make room, then run again")


def _check_folder(folder: Path) -> None:
    """Makes it, and writes and removes a small file in it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".preflight.{os.getpid()}"
        probe.write_bytes(b"x")
        probe.unlink()
    except OSError as error:
        raise NotReady(said_of(error, folder)) from None


def said_of(error: OSError, folder: Path) -> str:
    """A failure of the disk in one sentence."""
    place = Path(error.filename) if isinstance(error.filename, str) else folder
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return f"the disk of {folder} is full: make room, then run again; nothing is lost"
        case errno.EROFS:
            return f"{folder} lies on a file system that is read-only: choose another folder with {HOME_VARIABLE}"
        case errno.EACCES | errno.EPERM:
            return f"{place} cannot be written: check its owner and mode, or choose another folder with {HOME_VARIABLE}"
        case errno.ENOTDIR | errno.EEXIST | errno.EISDIR:
            return f"{place} is in the way, a file where a folder has to be: move it, or choose another {HOME_VARIABLE}"
    return f"{place} cannot be used ({error.strerror}): choose another folder with {HOME_VARIABLE}"


def check_lake(settings: Settings) -> None:
    """That a lake in a bucket can be worked in; one on the local disk is a folder of the home. Raises NotReady."""
    lake = settings.lake()
    if lake.is_local:
        return
    from lakehouse.files.bucket_access import BucketUnusable, check_bucket  # loads the client of buckets

    try:
        check_bucket(lake.root, lake.options, f"{ENGINE_FOLDER}/preflight")
    except BucketUnusable as error:
        raise NotReady(f"the bucket of storage.lake in the settings {error}; then run again") from None


def check_model(settings: Settings) -> None:
    """That the network which the settings name is there. Raises NotReady."""
    named = settings.file.detector.model_path
    if not named:
        return
    try:
        with Path(named).open("rb") as stream:
            is_empty = not stream.read(1)
    except OSError as error:
        raise NotReady(f"detector.model_path in the settings cannot be read: {error.strerror}") from None
    if is_empty:
        raise NotReady("detector.model_path in the settings names an empty file")


def check_port(port: int) -> None:
    """That a server of this machine can listen there. Raises NotReady."""
    if not 1 <= port <= 65535:
        raise NotReady(f"there is no port {port}: take one from 1024 to 65535, as in make ui PORT=3001")
    try:
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", port))
    except PermissionError:
        raise NotReady(f"port {port} is only for root: take another, as in make ui PORT=3001") from None
    except OSError:
        raise NotReady(
            f"port {port} is taken: end what listens there, or take another, as in make ui PORT={min(port + 1, 65535)}"
        ) from None


def _folders(settings: Settings) -> Iterator[Path]:
    yield settings.landing_root
    if settings.lake().is_local:
        yield Path(settings.lake().root)
    yield settings.footage_root
    yield settings.warehouse.parent
