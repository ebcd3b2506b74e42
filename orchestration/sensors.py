"""Starts runs for what lies in the landing folder. Run keys are made of counts and hashes of names and
times of files: nothing of their content."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import dagster as dg

from lakehouse.contracts import contract
from lakehouse.life import seals
from lakehouse.store_day import StoreDay
from lakehouse.tables.reader import scan
from orchestration import arrivals
from orchestration.jobs import REFERENCE, REVIEW, STORE_DAY, STORE_DAY_ASSETS
from resources.steps.partitions import STORES, partition_key
from resources.workplace import Workplace


@dg.sensor(
    name="landing",
    jobs=[REFERENCE, STORE_DAY, REVIEW],
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "Looks into the landing folder: reference data first, then the store-days that have clips or scans, then "
        "reviewers' decisions. Late footage of a day that is not sealed runs the day again; nothing is decoded twice."
    ),
)
def landing_sensor(context: dg.SensorEvaluationContext, workplace: Workplace) -> dg.SensorResult | dg.SkipReason:
    """Asks for each run once per state of the files it is for, and only when no run of that job is under
    way."""
    root = workplace.settings().landing_root
    waiting = arrivals.look(root)
    if waiting.is_empty:
        return dg.SkipReason("nothing has landed")
    if waiting.has_store_wide:
        key = f"reference-{state_of(root, arrivals.STORE_WIDE)}"
        # Store-days wait: their footage means nothing without cameras and slots.
        return dg.SensorResult(run_requests=[dg.RunRequest(run_key=key, job_name=REFERENCE.name)])
    requests = list(_store_day_runs(workplace, root, waiting))
    if waiting.has_reviews:
        requests.append(dg.RunRequest(run_key=f"review-{state_of(root, ('reviews',))}", job_name=REVIEW.name))
    stores = sorted({day.store_id for day in waiting.store_days})
    new = [store for store in stores if not context.instance.has_dynamic_partition(str(STORES.name), store)]
    return dg.SensorResult(
        run_requests=requests, dynamic_partitions_requests=[STORES.build_add_request(new)] if new else []
    )


def _store_day_runs(workplace: Workplace, root: Path, waiting: arrivals.Arrivals) -> Iterator[dg.RunRequest]:
    known = set(scan(workplace.lake(), contract("orders", "stores")).select("store_id").collect()["store_id"])
    for day in waiting.store_days:
        if day.store_id not in known:
            continue
        state = state_of(root, (f"footage/{day.store_id}", f"gate_events/{day.store_id}"), day)
        yield dg.RunRequest(
            run_key=f"store-day-{day.store_id}-{day.business_date.isoformat()}-{state}",
            job_name=STORE_DAY.name,
            partition_key=partition_key(day),
            # Named one by one, so that the automation conditions know that this run makes what follows, too.
            asset_selection=list(STORE_DAY_ASSETS),
            tags={"is_sealed": str(seals.is_sealed(workplace.lake(), day)).lower()},
        )


def state_of(root: Path, folders: tuple[str, ...], day: StoreDay | None = None) -> str:
    """Hash of names, sizes and times of the files below some folders; with a day, of the files for that
    day."""
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted(path for path in (root / folder).rglob("*") if path.is_file()):
            if path.name.startswith(".") or (
                day is not None and arrivals.day_of(path) not in (day.business_date, None)
            ):
                continue
            try:
                found = path.stat()
            except FileNotFoundError:
                continue
            digest.update(f"{path.relative_to(root)}|{found.st_size}|{found.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]
