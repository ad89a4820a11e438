"""How backups stand. Light: monitoring asks this in the web's processes, which never make one."""

from dataclasses import dataclass

from django.conf import settings

from proxy_site.backups.status import Status


@dataclass(frozen=True)
class Standing:
    """What is known without asking anybody: from the settings, and from what the last runs noted. On a host that makes
    no backups `status` is that of the beginning."""

    status: Status
    key_is_set: bool
    bucket: str  # its name; empty: none is configured
    bucket_limit: int  # bytes
    requests_this_month: int
    requests_limit: int


def standing() -> Standing:
    status = Status.read(settings.BACKUP_DIR)
    return Standing(
        status=status,
        key_is_set=bool(settings.BACKUP_KEY),
        bucket=settings.BACKUP_BUCKET,
        bucket_limit=settings.BACKUP_BUCKET_LIMIT,
        requests_this_month=status.requests_this_month(),
        requests_limit=settings.BACKUP_BUCKET_REQUESTS,
    )
