"""Who follows which show, and what they want of it."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from watchlist import querysets
from watchlist.models.shows import NAME, Show


class Wishes(models.Model):
    """Which releases somebody wants. NULL: as in their preferences, and there as the box has it (wanted.py)."""

    class Batches(models.TextChoices):
        ANY = "any", "single episodes and batches"
        NONE = "none", "no batches"
        ONLY = "only", "batches only"

    groups = ArrayField(
        models.CharField(max_length=100), null=True, blank=True, help_text="Preferred, the best first."
    )
    only_groups = models.BooleanField(null=True, help_text="Nothing of other groups.")
    refused_groups = ArrayField(models.CharField(max_length=100), null=True, blank=True)
    resolutions = ArrayField(
        models.CharField(max_length=16),
        null=True,
        blank=True,
        help_text="The wanted ones, best first; none: any.",
    )
    languages = ArrayField(
        models.CharField(max_length=32),
        null=True,
        blank=True,
        help_text="A release that states languages must state one of these; none: any.",
    )
    must_not_contain = models.CharField(max_length=1000, null=True, blank=True, help_text="Words.")  # noqa: DJ001
    batches = models.CharField(max_length=8, choices=Batches, null=True)  # noqa: DJ001
    specials = models.BooleanField(
        null=True, help_text="Also OVAs and specials released under the show's name."
    )
    newer_versions = models.BooleanField(null=True, help_text="Replace by a v2 of the same group.")
    delay_seconds = models.IntegerField(null=True, help_text="Wait that long for a better release.")
    stalled_hours = models.IntegerField(
        null=True, help_text="Without a byte for that long, the next release is tried; 0: never."
    )
    start_paused = models.BooleanField(null=True)
    label = models.CharField(max_length=64, null=True, blank=True)  # noqa: DJ001

    class Meta:
        abstract = True


class Preferences(Wishes):
    """What one person wants where an entry says nothing else."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="watch_preferences"
    )

    def __str__(self) -> str:
        return f"of {self.user_id}"


class Entry(Wishes):
    """One person follows one show."""

    class Origin(models.TextChoices):
        SEARCH = "search"
        LIST = "list"
        HAND = "hand"

    class State(models.TextChoices):
        FOLLOWED = "followed"
        PAUSED = "paused", "by its owner"
        ENDED = "ended", "everything wanted of it is there"
        LEFT = "left", "no longer where its owner keeps what they follow, on their list"
        REMOVED = "removed", "by its owner, though their list still has it"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="watch_entries")
    show = models.ForeignKey(Show, on_delete=models.CASCADE, related_name="entries")
    origin = models.CharField(max_length=8, choices=Origin)
    state = models.CharField(max_length=16, choices=State, default=State.FOLLOWED)
    state_before = models.CharField(
        max_length=16, choices=State, blank=True, help_text="While it is removed: what it returns to."
    )
    list_status = models.CharField(max_length=16, blank=True, help_text="Empty: not on a list.")
    list_progress = models.IntegerField(default=0, help_text="Episodes watched, as the list says.")
    from_episode = models.IntegerField(default=1, help_text="Nothing before this one is wanted.")
    offset = models.IntegerField(
        default=0, help_text="Added to the number in a release's name to get the episode of the show."
    )
    end_with_show = models.BooleanField(default=True, help_text="Is `ended` once the last episode is there.")
    look_back = models.BooleanField(
        default=True, help_text="Stored items are still to be looked through for it."
    )
    added_at = models.DateTimeField(db_default=Now())
    changed_at = models.DateTimeField(db_default=Now())

    objects = querysets.EntryQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["user", "show"], name="entry_once"),)
        indexes = (models.Index(fields=["user"], name="entry_look_back", condition=Q(look_back=True)),)
        verbose_name = "followed show"

    def __str__(self) -> str:
        return f"{self.user_id}: {self.show_id}"


class Alias(models.Model):
    """What one person said a name in releases means."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=NAME, help_text="As its owner wrote or saw it.")
    key = models.CharField(max_length=NAME, help_text="As names are compared: matching.titles.")
    season = models.IntegerField(
        null=True, help_text="Only where a release states this season; NULL: none stated."
    )
    show = models.ForeignKey(
        Show, on_delete=models.CASCADE, null=True, related_name="aliases", help_text="NULL: none of theirs."
    )
    made_at = models.DateTimeField(db_default=Now())

    objects = querysets.AliasQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["user", "key", "season"], name="alias_once", nulls_distinct=False
            ),
        )

    def __str__(self) -> str:
        return self.name
