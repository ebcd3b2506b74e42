"""An empty entry in a table's log: whoever was about to commit to the version before it comes second."""

from __future__ import annotations

from deltalake import CommitProperties, PostCommitHookProperties
from deltalake.exceptions import CommitFailedError, DeltaError

from lakehouse.contract import TableContract
from lakehouse.errors import CommitConflict
from lakehouse.lake import Lake

_ATTEMPTS = 8
_PROPERTIES = CommitProperties(custom_metadata={"reason": "lease taken over"}, max_commit_retries=0)
_NO_HOOKS = PostCommitHookProperties(create_checkpoint=False, cleanup_expired_logs=False)


def fence(lake: Lake, contract: TableContract) -> None:
    """Moves the table's log on by one version without any change of content.

    For who takes over a lease: the holder before may be slow, not dead, and about to commit what it checked while
    it held the lease. Does nothing where no log can be read: nobody can commit there either. Raises CommitConflict.
    """
    for _ in range(_ATTEMPTS):
        try:
            table = lake.open(contract)
            if table is not None:
                table.create_write_transaction(
                    [],
                    "append",
                    table.schema(),
                    list(contract.partition_by),
                    commit_properties=_PROPERTIES,
                    post_commithook_properties=_NO_HOOKS,
                )
            return
        except CommitFailedError:
            continue
        except DeltaError:
            return
    raise CommitConflict(contract.path, "the holder before kept committing", count=_ATTEMPTS)
