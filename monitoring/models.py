"""What the machine was seen to do: how busy it is, and what it has sent."""

from __future__ import annotations

from django.db import models


class Host(models.Model):
    """A machine that runs workers, as it was last read. Its row's lock makes several workers count once."""

    id = models.CharField(max_length=64, primary_key=True, help_text="Its machine-id.")
    since = models.DateTimeField(
        null=True, help_text="When it was first read: what it sent before is not known."
    )
    read_at = models.DateTimeField(null=True)
    boot_id = models.CharField(max_length=36, blank=True)
    cpu_busy = models.BigIntegerField(default=0, help_text="Ticks since boot, of all CPUs.")
    cpu_total = models.BigIntegerField(default=0, help_text="The same, idle ones among them.")
    disk_free = models.BigIntegerField(null=True, help_text="Bytes on the volume of the downloads.")
    cpu_p95 = models.FloatField(null=True, help_text="Of seven days, as a share; NULL: too few samples.")
    network_p95 = models.FloatField(null=True)
    memory_p95 = models.FloatField(null=True)

    def __str__(self) -> str:
        return self.pk


class InterfaceCounter(models.Model):
    """Bytes that an interface showed when it was last seen. A smaller number later is a reset or a wrap."""

    host = models.ForeignKey(Host, on_delete=models.CASCADE, related_name="counters")
    name = models.CharField(max_length=64)
    sent = models.DecimalField(max_digits=20, decimal_places=0, help_text="Unsigned, 64 bits.")
    received = models.DecimalField(max_digits=20, decimal_places=0)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["host", "name"], name="interface_once"),)

    def __str__(self) -> str:
        return self.name


class HostSample(models.Model):
    """How busy a machine was in the minute before, in shares of what it has."""

    host = models.ForeignKey(Host, on_delete=models.CASCADE, related_name="samples")
    at = models.DateTimeField()
    cpu = models.FloatField()
    network = models.FloatField(help_text="Of the faster direction.")
    memory = models.FloatField()

    class Meta:
        indexes = (models.Index(fields=["host", "at"], name="sample_of_host"),)

    def __str__(self) -> str:
        return f"{self.host_id} {self.at}"


class EgressDay(models.Model):
    """What all machines together sent on a day (UTC), as their interfaces count: of anything to anybody."""

    day = models.DateField(primary_key=True)
    sent = models.BigIntegerField(default=0, help_text="Bytes. Counted on the day on which they were read.")

    class Meta:
        verbose_name = "day of egress"
        verbose_name_plural = "days of egress"

    def __str__(self) -> str:
        return str(self.day)
