"""The rows behind handing over: what was sent, how far logs are counted, which links still work."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from torrents.models.core import Claim, Engine


class ClaimTraffic(models.Model):
    """All bytes ever handed over for a claim. Apart from it and without a foreign key's lock, because many processes
    add to it while others change and delete claims."""

    claim = models.OneToOneField(
        Claim, on_delete=models.CASCADE, primary_key=True, db_constraint=False, related_name="traffic"
    )
    sent = models.BigIntegerField(default=0, help_text="Bytes.")

    def __str__(self) -> str:
        return f"{self.claim_id}: {self.sent}"


class Traffic(models.Model):
    """The ledger: what was handed over to a user on a day (UTC), whatever became of the claims."""

    class Channel(models.TextChoices):
        HTTPS = "https", "HTTPS"
        SFTP = "sftp", "SFTP"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="traffic")
    day = models.DateField()
    channel = models.CharField(max_length=16, choices=Channel)
    sent = models.BigIntegerField(help_text="Bytes.")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["user", "day", "channel"], name="traffic_once_per_day_and_channel"
            ),
        )

    def __str__(self) -> str:
        return f"{self.user_id} {self.day} {self.channel}: {self.sent}"


class SwarmTraffic(models.Model):
    """The ledger's other half: what an engine sent to peers on a day (UTC), as its counters grew."""

    engine = models.ForeignKey(Engine, on_delete=models.CASCADE, related_name="swarm_traffic")
    day = models.DateField()
    sent = models.BigIntegerField(help_text="Bytes.")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["engine", "day"], name="swarm_traffic_once_per_day"),)

    def __str__(self) -> str:
        return f"{self.engine_id} {self.day}: {self.sent}"


class AccessLogPosition(models.Model):
    """How far an access log of Caddy is counted. Moves in the transaction that counts."""

    path = models.TextField(primary_key=True)
    first_line = models.CharField(
        max_length=64,
        blank=True,
        help_text="SHA-256 of the file's first line: which of the rotated files it is.",
    )
    offset = models.BigIntegerField(default=0, help_text="Bytes of that file which are counted.")

    def __str__(self) -> str:
        return f"{self.path}: {self.offset}"


class SftpServer(models.Model):
    """An SFTP server that runs, as it tells of itself every few seconds. One that is stopped takes its row away; one
    that died leaves it to grow old."""

    name = models.CharField(max_length=300, unique=True, help_text="Its host and port.")
    connections = models.IntegerField(help_text="People's, whether or not they have logged in yet.")
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class LinkEpoch(models.Model):
    """Links signed in an earlier epoch of their user are dead. No row means epoch 0."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="link_epoch"
    )
    value = models.IntegerField(default=0)

    def __str__(self) -> str:
        return str(self.value)


class EgressReport(models.Model):
    """How much of the month's egress the whole machine has used, as monitoring last reported: one row."""

    ONLY = 1

    id = models.SmallIntegerField(primary_key=True, default=ONLY, editable=False)
    share = models.FloatField(help_text="Of the month's allowance; 1 is all of it.")
    reported_at = models.DateTimeField()

    class Meta:
        constraints = (models.CheckConstraint(name="egressreport_is_one", condition=models.Q(id=1)),)

    def __str__(self) -> str:
        return f"{self.share:.1%}"
