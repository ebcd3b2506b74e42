"""Starts runs for what lies in the landing folder. Run keys are made of counts and hashes of names and
times of files: nothing of their content."""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import dagster as dg

from assets.orders.reference.waits import waits_over
from lakehouse.contracts import contract
from lakehouse.life import seals
from lakehouse.store_day import StoreDay
from lakehouse.tables.reader import scan
from orchestration import arrivals
from orchestration.jobs import REFERENCE, REVIEW, STORE_DAY, STORE_DAY_ASSETS
from resources.clock import Clock
from resources.steps.partitions import STORES, partition_key
from resources.workplace import Workplace

LANDING_STATE = "landing_state"
"""Tag of a run that the sensor asked for: the state of the files that it is for."""


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
def landing_sensor(
    context: dg.SensorEvaluationContext, workplace: Workplace, clock: Clock
) -> dg.SensorResult | dg.SkipReason:
    """Asks for each run once per state of the files it is for, and only when no run of that job is under
    way."""
    root, now = workplace.settings().landing_root, clock.now()
    waiting = arrivals.look(root, now)
    if waiting.is_empty:
        return dg.SkipReason("nothing has landed")
    known = set(scan(workplace.lake(), contract("orders", "stores")).select("store_id").collect()["store_id"])
    unknown = [path for day in waiting.store_days if day.store_id not in known for path in waiting.files[day]]
    requests = []
    if store_wide := [*waiting.store_wide, *waiting.strays, *unknown]:
        key = f"reference-{state_of(root, store_wide)}-{waits_over(waiting.store_wide, now)}"
        requests.append(dg.RunRequest(run_key=key, job_name=REFERENCE.name, tags={LANDING_STATE: key}))
        # Store-days wait: their footage means nothing without cameras and slots. But not for reference data that a run
        # has left lying, whatever its reason: that would stop every store.
        if waiting.store_wide and not _was_tried(context.instance, key):
            return dg.SensorResult(run_requests=requests)
    days = [day for day in waiting.store_days if day.store_id in known]
    requests += [_store_day_run(workplace, root, day, waiting.files[day]) for day in days]
    if waiting.has_reviews:
        requests.append(dg.RunRequest(run_key=f"review-{state_of(root, waiting.reviews)}", job_name=REVIEW.name))
    stores = sorted({day.store_id for day in days})
    new = [store for store in stores if not context.instance.has_dynamic_partition(str(STORES.name), store)]
    return dg.SensorResult(
        run_requests=requests, dynamic_partitions_requests=[STORES.build_add_request(new)] if new else []
    )


def _was_tried(instance: dg.DagsterInstance, state: str) -> bool:
    """Whether a run for this state of the files is over."""
    runs = instance.get_runs(dg.RunsFilter(tags={LANDING_STATE: state}))
    return bool(runs) and all(run.is_finished for run in runs)


def _store_day_run(workplace: Workplace, root: Path, day: StoreDay, files: Sequence[Path]) -> dg.RunRequest:
    return dg.RunRequest(
        run_key=f"store-day-{day.store_id}-{day.business_date.isoformat()}-{state_of(root, files)}",
        job_name=STORE_DAY.name,
        partition_key=partition_key(day),
        # Named one by one, so that the automation conditions know that this run makes what follows, too.
        asset_selection=list(STORE_DAY_ASSETS),
        tags={"is_sealed": str(seals.is_sealed(workplace.lake(), day)).lower()},
    )


def state_of(root: Path, paths: Iterable[Path]) -> str:
    """Hash of names, sizes and times of some files below `root`; links are not followed."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        try:
            found = path.lstat()
        except OSError:
            continue
        name = path.relative_to(root).as_posix().encode("utf-8", "surrogateescape")
        digest.update(name + f"|{found.st_size}|{found.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]
