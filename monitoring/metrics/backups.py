"""How backups stand. Not of the database, so it is told without it, too."""

from monitoring.metrics.catalogue import Samples
from proxy_site.backups.standing import standing


def read(samples: Samples) -> None:
    """Of the bucket only where one is configured."""
    told = standing()
    for kind, place in told.status.places.items():
        samples.add("backup_last_success_timestamp_seconds", place.last_success.timestamp(), kind)
        samples.add("backup_size_bytes", place.newest_bytes, kind)
        samples.add("backup_stored_bytes", place.stored_bytes, kind)
        samples.add("backup_count", place.count, kind)
    if told.status.last_verified is not None:
        samples.add("backup_last_verified_timestamp_seconds", told.status.last_verified.timestamp())
    for task, failures in told.status.failures.items():
        samples.add("backup_failures_in_a_row", failures, task)
    if told.bucket:
        samples.add("bucket_requests_month", told.requests_this_month)
        samples.add("bucket_requests_limit", told.requests_limit)
        samples.add("bucket_bytes_limit", told.bucket_limit)
