"""Reading the machine once a minute, and writing down what has passed since: samples and the ledger of egress.

Several workers may run at once: all of it happens under the lock of the machine's row, the reading too, for one that
is older than what is stored would look like a reset.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from monitoring.host.egress import Known, Passed, passed
from monitoring.host.idle import BYTES_PER_OCPU, ENOUGH, PERCENTILE, WINDOW, Usage, cpu_share, network_share
from monitoring.host.readings import Counters, CpuTimes, Reading, free_bytes, machine_id, read_host
from monitoring.models import EgressDay, Host, HostSample, InterfaceCounter

EVERY = timedelta(minutes=1)
TOO_SOON = EVERY / 2
LONGEST = 5 * EVERY  # what lies further apart is no sample: it would make a busy minute and an idle hour one
KEPT = WINDOW + timedelta(days=1)

_ADD = """
INSERT INTO monitoring_egressday AS total (day, sent) VALUES (%s, %s)
ON CONFLICT (day) DO UPDATE SET sent = total.sent + excluded.sent
"""
_P95 = """
SELECT count(*), percentile_disc(%(p)s) WITHIN GROUP (ORDER BY cpu),
       percentile_disc(%(p)s) WITHIN GROUP (ORDER BY network),
       percentile_disc(%(p)s) WITHIN GROUP (ORDER BY memory)
FROM monitoring_hostsample WHERE host_id = %(host)s AND at > %(since)s
"""


@transaction.atomic
def measure(root: Path = Path("/")) -> Passed | None:
    """Read the machine whose /proc, /sys and /etc are below `root`; None: another worker just did, or it shows no
    interface that counts. OSError and ValueError where it cannot be read."""
    id = machine_id(root / "etc")
    Host.objects.get_or_create(pk=id)
    host = Host.objects.select_for_update().get(pk=id)
    now = timezone.now()
    if host.read_at is not None and timedelta(0) <= now - host.read_at < TOO_SOON:
        return None
    reading = read_host(proc=root / "proc", sys=root / "sys", names=settings.EGRESS_INTERFACES)
    known = _known(host)
    news = passed(known, reading, at=now, line_rate=settings.OCPUS * BYTES_PER_OCPU)
    if news.sent:
        with connection.cursor() as cursor:
            cursor.execute(_ADD, [now.date(), news.sent])
    _note_sample(host, reading, news, now)
    _note_reading(host, reading, now)
    return news if reading.interfaces else None


def egress_days() -> Mapping[date, int]:
    """Bytes by day, of all machines, as far back as a month and the last seven days need."""
    since = timezone.now().date() - timedelta(days=40)
    return dict(EgressDay.objects.filter(day__gte=since).values_list("day", "sent"))


def _known(host: Host) -> Known | None:
    if host.read_at is None:
        return None
    counters = {row.name: Counters(int(row.sent), int(row.received)) for row in host.counters.all()}
    return Known(host.boot_id, host.read_at, counters)


def _note_sample(host: Host, reading: Reading, news: Passed, now: datetime) -> None:
    HostSample.objects.filter(host=host, at__lt=now - KEPT).delete()
    if host.read_at is None or host.boot_id != reading.boot_id:
        return
    elapsed = now - host.read_at
    if not timedelta(0) < elapsed <= LONGEST:
        return
    network = network_share(
        sent=news.sent, received=news.received, seconds=elapsed.total_seconds(), ocpus=settings.OCPUS
    )
    HostSample.objects.create(
        host=host,
        at=now,
        cpu=cpu_share(CpuTimes(host.cpu_busy, host.cpu_total), reading.cpu),
        network=network,
        memory=reading.memory_used,
    )


def _note_reading(host: Host, reading: Reading, now: datetime) -> None:
    if host.boot_id != reading.boot_id:
        host.counters.all().delete()
    # One that is not there now keeps its row: should it come back in this boot, it goes on from there.
    InterfaceCounter.objects.bulk_create(
        [
            InterfaceCounter(host=host, name=name, sent=seen.sent, received=seen.received)
            for name, seen in reading.interfaces.items()
        ],
        update_conflicts=True,
        unique_fields=["host", "name"],
        update_fields=["sent", "received"],
    )
    p95 = _p95(host, now)
    host.cpu_p95, host.network_p95, host.memory_p95 = (
        (p95.cpu, p95.network, p95.memory) if p95 else (None,) * 3
    )
    host.since = host.since or now
    host.boot_id, host.read_at = reading.boot_id, now
    host.cpu_busy, host.cpu_total = reading.cpu.busy, reading.cpu.total
    host.disk_free = free_bytes(Path(settings.DOWNLOADS_DIR))
    host.save()


def _p95(host: Host, now: datetime) -> Usage | None:
    """Of the samples of the last seven days; None: too few."""
    with connection.cursor() as cursor:
        cursor.execute(_P95, {"p": PERCENTILE, "host": host.pk, "since": now - WINDOW})
        count, *shares = cursor.fetchone()
    return Usage(*shares) if count * EVERY >= ENOUGH else None
