"""The rows behind every torrent: what people want, what the engine does, and who has to be told.

Lock order, everywhere: infohashes, torrents by id, then change counters by user id. Nothing takes them the other
way round.
"""

from __future__ import annotations

import uuid
from pathlib import Path

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from torrents.querysets import BlockedInfohashQuerySet, ClaimQuerySet, TorrentFileQuerySet, TorrentQuerySet


class Engine(models.Model):
    """One BitTorrent engine, and how the reconciler last found it. How to log in to it is configuration, not data."""

    name = models.CharField(max_length=64, unique=True)
    reachable = models.BooleanField(default=False)
    message = models.TextField(blank=True, help_text="Why it is not reachable, in words.")
    notice = models.TextField(blank=True, help_text="The same for everybody; empty: it is simply away.")
    version = models.CharField(max_length=64, blank=True)
    connection = models.CharField(max_length=16, blank=True)
    free_space = models.BigIntegerField(null=True, help_text="Bytes, on the volume that holds the data.")
    dht_nodes = models.IntegerField(null=True, help_text="NULL: it is away, and so are these.")
    queued_io_jobs = models.IntegerField(null=True, help_text="Of its disk.")
    received_ever = models.BigIntegerField(null=True, help_text="Bytes, as it counts itself.")
    sent_ever = models.BigIntegerField(null=True, help_text="Bytes, as it counts itself.")
    checked_at = models.DateTimeField(null=True, help_text="When the reconciler last asked it anything.")

    def __str__(self) -> str:
        return self.name


class Torrent(models.Model):
    """One torrent in one engine, however many people claim it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    engine = models.ForeignKey(Engine, on_delete=models.PROTECT, related_name="torrents")
    infohash_v1 = models.CharField(max_length=40, unique=True, null=True)  # noqa: DJ001  unique, so unknown is NULL
    infohash_v2 = models.CharField(max_length=64, unique=True, null=True)  # noqa: DJ001
    name = models.CharField(max_length=255)
    trackers = ArrayField(
        models.TextField(), default=list, help_text="Vetted announce URLs; may hold passkeys."
    )
    metainfo = models.BinaryField(
        null=True, help_text="The .torrent without web seeds and nodes, once it is known."
    )
    private = models.BooleanField(null=True)
    size = models.BigIntegerField(null=True, help_text="Bytes; unknown until the metadata is.")
    added_at = models.DateTimeField(db_default=Now())
    completed_at = models.DateTimeField(null=True)
    unclaimed_at = models.DateTimeField(
        null=True, help_text="Since when nobody holds it, though some may still take it back."
    )
    refused = models.TextField(blank=True, help_text="Why the engine will not take it, in words.")
    recheck_requested_at = models.DateTimeField(
        null=True,
        help_text="An admin wants its data hashed again; the reconciler has not asked the engine yet.",
    )

    objects = TorrentQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="torrent_has_an_infohash",
                condition=Q(infohash_v1__isnull=False) | Q(infohash_v2__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def magnet(self) -> str:
        """For the engine: infohashes and vetted trackers. No name: the engine would keep it for the real one."""
        # Here, because it loads libtorrent and curl: 14 MB that the SFTP server needs for its clients.
        from torrents.metainfo import build_magnet

        return build_magnet(
            infohash_v1=self.infohash_v1, infohash_v2=self.infohash_v2, trackers=self.trackers
        )

    @property
    def data_dir(self) -> Path:
        """Named by our id, never by anything that a person or a torrent chose."""
        return Path(settings.DOWNLOADS_DIR) / "t" / str(self.pk)


class LiveState(models.Model):
    """What changes every second, kept apart so that writing it touches one narrow row."""

    class State(models.TextChoices):
        WAITING = "waiting"
        METADATA = "metadata"
        CHECKING = "checking"
        QUEUED = "queued"
        DOWNLOADING = "downloading"
        STALLED = "stalled"
        PAUSED = "paused"
        FINISHED = "finished"
        ERROR = "error"

    torrent = models.OneToOneField(Torrent, on_delete=models.CASCADE, primary_key=True, related_name="live")
    state = models.CharField(max_length=16, choices=State, default=State.WAITING)
    progress = models.FloatField(default=0)
    downloaded = models.BigIntegerField(default=0)
    uploaded = models.BigIntegerField(
        default=0, help_text="Bytes sent to peers, ever; the engine's own count ends with each re-add."
    )
    engine_uploaded = models.BigIntegerField(default=0, help_text="The engine's own count, as last read.")
    download_speed = models.BigIntegerField(default=0)
    upload_speed = models.BigIntegerField(default=0)
    eta = models.IntegerField(null=True)
    seeds = models.IntegerField(default=0)
    peers = models.IntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.torrent_id}: {self.state}"


class TorrentFile(models.Model):
    """One file of a torrent, at its place under the torrent's data_dir, as the engine names it."""

    torrent = models.ForeignKey(Torrent, on_delete=models.CASCADE, related_name="files")
    index = models.IntegerField(help_text="In the torrent's own order; people's links name it.")
    path = models.TextField()
    size = models.BigIntegerField()
    sha256 = models.CharField(
        max_length=64, blank=True, help_text="Of the finished file; empty until computed."
    )
    progress = models.FloatField(
        default=0, help_text="0 to 1, as last read: while somebody looks, or people chose different files."
    )

    objects = TorrentFileQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["torrent", "index"], name="file_index_unique"),)
        # Asked every second, and hardly ever is anything left to hash.
        indexes = (models.Index(fields=["torrent"], name="file_without_checksum", condition=Q(sha256="")),)

    def __str__(self) -> str:
        return self.path


class HeldClaims(models.Manager["Claim"]):
    """Without those that their owners gave up and may still take back."""

    def get_queryset(self) -> models.QuerySet[Claim]:
        return super().get_queryset().filter(removed_at=None)


class Claim(models.Model):
    """One person's hold on a torrent: what the API calls a torrent."""

    class Wanted(models.TextChoices):
        RUNNING = "running"
        PAUSED = "paused"

    class Origin(models.TextChoices):
        USER = "user"
        FEED = "feed"
        WATCHLIST = "watchlist"

    class WaitsFor(models.TextChoices):
        """What must change before a download may start: see torrents.admission."""

        USER_DISK = "user_disk", "space in the person's own quota"
        USER_ACTIVE = "user_active", "one of the person's other downloads"
        USER_TRAFFIC = "user_traffic", "the person's next month"
        BOX_DISK = "box_disk", "space on the box"
        BOX_ACTIVE = "box_active", "other people's downloads"
        BOX_TRAFFIC = "box_traffic", "the box's next month"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="claims")
    torrent = models.ForeignKey(Torrent, on_delete=models.PROTECT, related_name="claims")
    wanted = models.CharField(max_length=16, choices=Wanted, default=Wanted.RUNNING)
    origin = models.CharField(max_length=16, choices=Origin, default=Origin.USER)
    origin_detail = models.CharField(
        max_length=255, blank=True, help_text="Which feed or show, in its owner's words."
    )
    by_torrent_file = models.BooleanField(
        default=False,
        help_text="They presented the .torrent: a private torrent is theirs before any magnet's.",
    )
    trackers = ArrayField(
        models.TextField(),
        default=list,
        help_text="Vetted announce URLs that they brought; a private torrent announces to its one claim's only.",
    )
    label = models.CharField(max_length=64, blank=True)
    chosen_files = ArrayField(
        models.IntegerField(), null=True, help_text="Indexes of the wanted files; NULL: all."
    )
    download_limit = models.BigIntegerField(null=True, help_text="Bytes a second; NULL: none.")
    upload_limit = models.BigIntegerField(null=True, help_text="Bytes a second; NULL: none.")
    seed_ratio = models.FloatField(null=True, help_text="NULL: the box's default.")
    seed_seconds = models.BigIntegerField(null=True, help_text="NULL: the box's default.")
    sequential = models.BooleanField(default=False)
    waits_for = models.CharField(max_length=16, choices=WaitsFor, blank=True)
    admitted_size = models.BigIntegerField(
        null=True, help_text="Bytes for which its download was let in; NULL: it was not, or not yet."
    )
    added_at = models.DateTimeField(db_default=Now())
    completed_at = models.DateTimeField(
        null=True, help_text="When its files were all there, and it was not paused."
    )
    removed_at = models.DateTimeField(
        null=True, help_text="When its owner gave it up; until the grace period ends they can take it back."
    )
    change = models.BigIntegerField(
        help_text="The user's change counter when this claim or its torrent last changed."
    )

    objects = HeldClaims.from_queryset(ClaimQuerySet)()
    with_removed = ClaimQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["user", "torrent"], name="claim_once_per_user"),)
        indexes = (
            models.Index(fields=["user", "change"], name="claim_changes"),
            models.Index(fields=["user", "-added_at", "-id"], name="claim_newest"),
        )

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def handed_over(self) -> int:
        """Bytes sent to its owner, every time it was fetched."""
        return self.traffic.sent if hasattr(self, "traffic") else 0


class ClaimEvent(models.Model):
    """What became of a claim, for its owner's history; outlives the claim."""

    class Kind(models.TextChoices):
        ADDED = "added"
        STARTED = "started"
        COMPLETED = "completed"
        HANDED_OVER = "handed_over"
        REMOVED = "removed"
        RESTORED = "restored"
        BLOCKED = "blocked"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    claim_id = models.UUIDField()
    name = models.CharField(max_length=255)
    kind = models.CharField(max_length=16, choices=Kind)
    detail = models.CharField(max_length=255, blank=True)
    at = models.DateTimeField(db_default=Now())
    day = models.DateField(null=True, help_text="Of a hand-over (UTC): it is noted once a day. Else NULL.")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["claim_id", "day"], name="claimevent_once_a_day"),)
        indexes = (
            models.Index(fields=["claim_id", "id"], name="claimevent_of_claim"),
            models.Index(fields=["user", "-id"], name="claimevent_of_user"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.claim_id}"


class Interest(models.Model):
    """Somebody looks at this torrent's files and swarm until then, so the reconciler reads them."""

    torrent = models.OneToOneField(
        Torrent, on_delete=models.CASCADE, primary_key=True, related_name="interest"
    )
    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.torrent_id} until {self.until}"


class Swarm(models.Model):
    """Trackers and peers of a torrent as counts: who they are is nobody's business."""

    torrent = models.OneToOneField(Torrent, on_delete=models.CASCADE, primary_key=True, related_name="swarm")
    trackers_working = models.IntegerField()
    trackers_failing = models.IntegerField()
    trackers_waiting = models.IntegerField(help_text="Not asked yet, or being asked.")
    known_seeds = models.IntegerField(help_text="As trackers count them; -1: unknown.")
    known_peers = models.IntegerField(help_text="As trackers count them; -1: unknown.")
    availability = models.FloatField(help_text="Whole copies among the connected peers; -1: unknown.")
    checked_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.torrent_id)


class BlockedInfohash(models.Model):
    """An infohash that may not be added, and whose torrent was removed: a takedown."""

    infohash = models.CharField(max_length=64, unique=True, help_text="v1 or v2, lower-case hexadecimal.")
    other_infohash = models.CharField(
        max_length=64, blank=True, help_text="The same torrent's other one, where it is known: blocked too."
    )
    reason = models.TextField(blank=True, help_text="For admins; people see only that it is blocked.")
    blocked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    blocked_at = models.DateTimeField(db_default=Now())

    objects = BlockedInfohashQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "blocked infohashes"

    def __str__(self) -> str:
        return self.infohash


class ForeignTorrent(models.Model):
    """A torrent of the engine that is not ours, as last seen: for admins, who may wonder what fills the disk."""

    engine = models.ForeignKey(Engine, on_delete=models.CASCADE, related_name="foreign_torrents")
    key = models.CharField(max_length=64)
    name = models.TextField()
    save_path = models.TextField()
    size = models.BigIntegerField(null=True, help_text="Bytes.")
    seen_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["engine", "key"], name="foreign_torrent_once"),)
        verbose_name = "torrent of nobody here"
        verbose_name_plural = "torrents of nobody here"

    def __str__(self) -> str:
        return self.name


class Removal(models.Model):
    """A torrent to forget: the reconciler removes it from the engine, then its data, then this row.

    Only what stands here is ever deleted. An unknown torrent or folder is left alone: it may be another database's.
    """

    id = models.UUIDField(
        primary_key=True, editable=False, help_text="The torrent's id, which names its folder."
    )
    engine = models.ForeignKey(Engine, on_delete=models.PROTECT, related_name="removals")
    requested_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = "pending deletion"

    def __str__(self) -> str:
        return str(self.pk)


class ClaimAlias(models.Model):
    """The id of a claim that was merged into another: links to it go on working."""

    id = models.UUIDField(primary_key=True, editable=False)
    claim = models.ForeignKey(Claim, on_delete=models.CASCADE, related_name="aliases")

    def __str__(self) -> str:
        return str(self.pk)


class Tombstone(models.Model):
    """A claim that is gone, for clients that ask what changed since they last looked."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    claim_id = models.UUIDField()
    change = models.BigIntegerField()
    removed_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = (models.UniqueConstraint(fields=["user", "change"], name="tombstone_change_unique"),)

    def __str__(self) -> str:
        return str(self.claim_id)


class ChangeCounter(models.Model):
    """Counts a user's changes. Incremented under its row lock by the transaction that changes something, because a
    sequence's order is not the order in which transactions become visible."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    value = models.BigIntegerField(default=0)
    pruned = models.BigIntegerField(default=0, help_text="Tombstones up to this change are gone.")

    def __str__(self) -> str:
        return str(self.value)
