"""Feeds, what stood in them, what people want of it, and what became of that.

Lock order: the person (`querysets.lock_person`), then sources by id, then subscriptions by id, then grabs; torrents'
locks come after all of these.
"""

from __future__ import annotations

import hashlib
import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from feeds.querysets import (
    DecisionQuerySet,
    GrabQuerySet,
    ItemQuerySet,
    RuleQuerySet,
    SourceQuerySet,
    SubscriptionQuerySet,
)
from proxy_site.encryption import EncryptedTextField


class FeedSource(models.Model):
    """One address with one set of credentials: fetched once, however many people subscribe."""

    digest = models.CharField(
        max_length=64,
        unique=True,
        help_text="SHA-256 of address and credentials, which are encrypted and cannot be searched.",
    )
    url = EncryptedTextField(help_text="May hold a passkey.")
    username = EncryptedTextField(blank=True, help_text="For HTTP's basic authentication.")
    password = EncryptedTextField(blank=True)
    host = models.CharField(max_length=255, help_text="For politeness, and for admins.")
    title = models.CharField(max_length=255, blank=True, help_text="As the feed calls itself.")

    next_check_at = models.DateTimeField(db_default=Now())
    leased_until = models.DateTimeField(
        null=True, help_text="A worker checks it; a worker that died does not."
    )
    attempts = models.IntegerField(
        default=0,
        help_text="Checks begun since one ended; counted first, so that one that kills a worker counts.",
    )
    interval_seconds = models.IntegerField(
        null=True, help_text="What the feed asks for (ttl); NULL: nothing."
    )
    etag = models.TextField(blank=True)
    last_modified = models.TextField(blank=True)
    body_digest = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the last body.")
    present = ArrayField(models.UUIDField(), default=list, help_text="Keys of the items of the last body.")
    last_number = models.BigIntegerField(default=0, help_text="Of the newest item.")

    checked_at = models.DateTimeField(null=True)
    succeeded_at = models.DateTimeField(null=True)
    failing_since = models.DateTimeField(null=True)
    failures = models.IntegerField(default=0, help_text="In a row.")
    message = models.TextField(blank=True, help_text="Why the last check failed, in words without passkeys.")
    added_at = models.DateTimeField(db_default=Now())

    objects = SourceQuerySet.as_manager()

    class Meta:
        indexes = (models.Index(fields=["next_check_at"], name="source_due"),)

    def __str__(self) -> str:
        return self.title or self.host

    @staticmethod
    def digest_of(url: str, username: str = "", password: str = "") -> str:
        return hashlib.sha256("\n".join((url, username, password)).encode()).hexdigest()


class Subscription(models.Model):
    """One person follows one source."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="subscriptions")
    source = models.ForeignKey(FeedSource, on_delete=models.PROTECT, related_name="subscriptions")
    name = models.CharField(max_length=100)
    enabled = models.BooleanField(default=True)
    back_catalogue = models.BooleanField(
        default=False, help_text="Its rules may also take what stood in the feed when it was added."
    )
    position = models.BigIntegerField(
        null=True,
        help_text="Number of the last item that its owner's rules have seen; NULL until the first check after it "
        "was added: what that one finds is the back catalogue.",
    )
    since = models.DateTimeField(db_default=Now(), help_text="When it was added, or switched on again.")
    added_at = models.DateTimeField(db_default=Now())

    objects = SubscriptionQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["user", "source"], name="subscription_once"),)

    def __str__(self) -> str:
        return self.name

    @property
    def health(self) -> str:
        """`unchecked` until the first check ended, then `healthy` or `failing`."""
        if self.source.failing_since is not None:
            return "failing"
        return "healthy" if self.source.succeeded_at is not None else "unchecked"


class Item(models.Model):
    """One entry of a source, stored once, as it was first seen."""

    source = models.ForeignKey(FeedSource, on_delete=models.CASCADE, related_name="items")
    number = models.BigIntegerField(
        help_text="Counts a source's items under its row lock, so numbers become visible in order."
    )
    key = models.UUIDField(help_text="Digest of what identifies it in its feed: see feeds.parsing.")
    title = models.CharField(max_length=500)
    page = EncryptedTextField(blank=True, help_text="Where people read about it; may hold a passkey.")
    download = EncryptedTextField(
        blank=True, help_text="Magnet, or address of a .torrent; may hold a passkey."
    )
    infohash = models.CharField(max_length=64, blank=True, help_text="v1 or v2, lower-case hexadecimal.")
    size = models.BigIntegerField(null=True, help_text="Bytes, as the feed says.")
    published_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(db_default=Now())
    release = models.JSONField(help_text="What its title says: feeds.releases.Release as an object.")

    objects = ItemQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["source", "number"], name="item_number_unique"),
            models.UniqueConstraint(fields=["source", "key"], name="item_once"),
        )
        indexes = (models.Index(fields=["seen_at"], name="item_age"),)

    def __str__(self) -> str:
        return self.title


class Rule(models.Model):
    """What one person wants taken from feeds. Every condition that is set must hold."""

    class Batches(models.TextChoices):
        ANY = "any", "single episodes and batches"
        NONE = "none", "no batches"
        ONLY = "only", "batches only"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="rules")
    name = models.CharField(max_length=100)
    enabled = models.BooleanField(default=True)
    dry_run = models.BooleanField(default=False, help_text="Say what it would take, and take nothing.")
    priority = models.IntegerField(
        default=0, help_text="Higher first: an item goes to the first rule that takes it."
    )
    subscriptions = models.ManyToManyField(
        Subscription, related_name="rules", blank=True, help_text="None: all of their owner's."
    )

    must_contain = models.CharField(
        max_length=1000, blank=True, help_text='Words; AND, OR, NOT, (…), "exactly this".'
    )
    must_not_contain = models.CharField(max_length=1000, blank=True)
    regex = models.CharField(max_length=1000, blank=True, help_text="RE2, in any case.")
    negative_regex = models.CharField(max_length=1000, blank=True)
    min_size = models.BigIntegerField(null=True, help_text="Bytes.")
    max_size = models.BigIntegerField(null=True, help_text="Bytes.")
    season = models.IntegerField(null=True)
    first_episode = models.FloatField(null=True)
    last_episode = models.FloatField(null=True)
    published_after = models.DateTimeField(null=True)
    max_age_seconds = models.BigIntegerField(null=True)
    resolutions = ArrayField(
        models.CharField(max_length=16),
        default=list,
        blank=True,
        help_text="The wanted ones, best first; none: any.",
    )
    groups = ArrayField(
        models.CharField(max_length=100),
        default=list,
        blank=True,
        help_text="The preferred ones, the best first.",
    )
    only_groups = models.BooleanField(
        default=False, help_text="Nothing of other groups than the preferred ones."
    )
    refused_groups = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    batches = models.CharField(max_length=8, choices=Batches, default=Batches.ANY)

    once_per_episode = models.BooleanField(
        default=False, help_text="One release of each episode, from whatever feed."
    )
    max_per_day = models.IntegerField(null=True)
    delay_seconds = models.IntegerField(
        default=0, help_text="Wait that long for a better release of the same episode."
    )
    start_paused = models.BooleanField(default=False)
    label = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    changed_at = models.DateTimeField(db_default=Now())

    objects = RuleQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["user", "name"], name="rule_name_unique"),)

    def __str__(self) -> str:
        return self.name

    @property
    def feed_ids(self) -> list[uuid.UUID]:
        return [subscription.pk for subscription in self.subscriptions.all()]


class Decision(models.Model):
    """What a rule made of an item, where its owner may want to know: taken, nearly taken, or wanted and failed."""

    class Outcome(models.TextChoices):
        TAKEN = "taken"
        NEARLY = "nearly", "what it is called matched, something else did not"
        HAD = "had", "matched, and its owner has or had it already"
        DRY_RUN = "dry_run", "would have been taken"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="decisions")
    rule = models.ForeignKey(Rule, on_delete=models.SET_NULL, null=True, related_name="decisions")
    rule_name = models.CharField(max_length=100, blank=True, help_text="Then; empty: taken by hand.")
    outcome = models.CharField(max_length=16, choices=Outcome)
    reasons = models.JSONField(
        default=list, help_text='[{"what", "got", "wanted"}] of every condition that failed.'
    )
    at = models.DateTimeField(db_default=Now())

    objects = DecisionQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["rule", "item"], name="decision_once"),)
        indexes = (
            models.Index(fields=["user", "-id"], name="decision_newest"),
            models.Index(fields=["at"], name="decision_age"),
        )

    def __str__(self) -> str:
        return f"{self.outcome} {self.item_id}"


class Grab(models.Model):
    """The wish to have one item: made with the decision, in one transaction; then added, and tried again until it is.

    Outlives its item, so that nothing is taken twice.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "for a better release, until it is due"
        DUE = "due", "to be added, now or when it is tried again"
        ADDED = "added"
        HAD = "had", "turned out to be one that its owner has or had"
        FAILED = "failed", "given up"

    class Origin(models.TextChoices):
        FEED = "feed", "one of its owner's rules, or they themselves"
        WATCHLIST = "watchlist"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="grabs")
    item = models.ForeignKey(Item, on_delete=models.SET_NULL, null=True, related_name="grabs")
    rule = models.ForeignKey(Rule, on_delete=models.SET_NULL, null=True, related_name="grabs")
    origin = models.CharField(max_length=16, choices=Origin, default=Origin.FEED)
    origin_detail = models.CharField(
        max_length=255, help_text="Which rule and which feed, or which show, in their owner's words."
    )
    title = models.CharField(max_length=500)
    download = EncryptedTextField(help_text="Magnet, or address of a .torrent; may hold a passkey.")
    infohash = models.CharField(max_length=64, blank=True, help_text="As soon as it is known.")
    identity = models.CharField(
        max_length=255, blank=True, help_text="Series, season and episode, where the rule wants each once."
    )
    preference = ArrayField(
        models.IntegerField(), default=list, help_text="Smaller is better, as lists compare; while it waits."
    )
    start_paused = models.BooleanField(default=False)
    label = models.CharField(max_length=64, blank=True)
    state = models.CharField(max_length=16, choices=State)
    due_at = models.DateTimeField(help_text="When it is to be tried (again).")
    attempts = models.IntegerField(default=0, help_text="Counted before each.")
    message = models.TextField(blank=True, help_text="Why it is not added, in words without passkeys.")
    claim_id = models.UUIDField(null=True, help_text="Of the torrent it became, which may be gone.")
    made_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)

    objects = GrabQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["user", "item"], name="grab_once_an_item"),
            models.UniqueConstraint(
                fields=["user", "infohash"], name="grab_once_a_torrent", condition=~Q(infohash="")
            ),
            models.UniqueConstraint(
                fields=["rule", "identity"], name="grab_once_an_episode", condition=~Q(identity="")
            ),
        )
        indexes = (
            models.Index(fields=["due_at"], name="grab_due", condition=Q(state__in=("waiting", "due"))),
            models.Index(fields=["user", "-made_at"], name="grab_newest"),
        )

    def __str__(self) -> str:
        return self.title
