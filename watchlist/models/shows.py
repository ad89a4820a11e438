"""Services that know shows, what they tell of them, and whose lists are followed. Shows, relations and episodes are
shared by everybody and written by synchronisation alone, in the order of their ids."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from proxy_site.encryption import EncryptedTextField
from watchlist import querysets

NAME = 300  # characters of a title


class Provider(models.Model):
    """A service that knows shows: one budget of requests and one breaker for everybody on this box."""

    name = models.CharField(max_length=32, primary_key=True, help_text="As in the registry.")
    asked_at = ArrayField(
        models.DateTimeField(),
        default=list,
        help_text="Its requests of the last minute, counted before each.",
    )
    blocked_until = models.DateTimeField(null=True, help_text="It asked us to wait, or does not work.")
    failing_since = models.DateTimeField(null=True)
    failures = models.IntegerField(default=0, help_text="In a row.")
    message = models.TextField(blank=True, help_text="What is the matter, in words for people.")
    asked_for = ArrayField(
        models.CharField(max_length=8), default=list, help_text="What each of them was for: budget.Purpose."
    )
    airing_at = models.DateTimeField(null=True, help_text="No airing time that is followed is older.")
    airing_leased_until = models.DateTimeField(null=True, help_text="A worker reads airing times.")
    details_leased_until = models.DateTimeField(null=True, help_text="A worker reads shows.")

    def __str__(self) -> str:
        return self.name


class Show(models.Model):
    """One season or cour, film or special, as its provider counts them."""

    provider = models.CharField(max_length=32)
    external_id = models.CharField(max_length=64)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        related_name="+",
        help_text="Who typed it in; NULL: everybody's.",
    )
    romaji = models.CharField(max_length=NAME, blank=True)
    english = models.CharField(max_length=NAME, blank=True)
    native = models.CharField(max_length=NAME, blank=True)
    synonyms = ArrayField(models.CharField(max_length=NAME), default=list, blank=True)
    format = models.CharField(max_length=16, blank=True, help_text="TV, MOVIE, OVA, …")
    status = models.CharField(max_length=24, blank=True, help_text="RELEASING, FINISHED, …")
    episodes = models.IntegerField(null=True, help_text="How many there will be, where that is known.")
    season_year = models.IntegerField(null=True)
    starts_on = models.DateField(null=True)
    ends_on = models.DateField(null=True)
    is_adult = models.BooleanField(default=False)
    site_url = models.CharField(max_length=500, blank=True)
    mal_id = models.IntegerField(null=True)
    fetched_at = models.DateTimeField(null=True, help_text="NULL: only mentioned by another show.")
    relations_at = models.DateTimeField(null=True, help_text="When its relations were read.")
    airing_at = models.DateTimeField(null=True, help_text="When its airing times were last read.")

    objects = querysets.ShowQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["provider", "external_id"], name="show_once"),)

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        return self.english or self.romaji or self.native


class Relation(models.Model):
    """`other` is the `kind` (SEQUEL, PREQUEL, …) of `show`."""

    show = models.ForeignKey(Show, on_delete=models.CASCADE, related_name="relations")
    kind = models.CharField(max_length=24)
    other = models.ForeignKey(Show, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["show", "kind", "other"], name="relation_once"),)

    def __str__(self) -> str:
        return f"{self.kind} of {self.show_id}"


class Episode(models.Model):
    """When an episode airs or aired."""

    show = models.ForeignKey(Show, on_delete=models.CASCADE, related_name="airings")
    number = models.IntegerField()
    airs_at = models.DateTimeField()

    objects = querysets.EpisodeQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["show", "number"], name="episode_once"),)
        indexes = (models.Index(fields=["airs_at"], name="episode_time"),)

    def __str__(self) -> str:
        return f"{self.show_id} {self.number}"


class Search(models.Model):
    """What a provider found for a text that somebody looked for: others who type the same ask nobody."""

    provider = models.CharField(max_length=32)
    text = models.CharField(max_length=100, help_text="As searches are compared.")
    shows = ArrayField(models.BigIntegerField(), default=list, help_text="The likeliest first.")
    asking_until = models.DateTimeField(null=True, help_text="Somebody asks for it at this moment.")
    found_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["provider", "text"], name="search_once"),)

    def __str__(self) -> str:
        return self.text


class RelationRules(models.Model):
    """The last good copy of the rules that redirect numbers running across seasons: see matching.redirects."""

    url = models.TextField(unique=True)
    text = models.TextField(blank=True)
    etag = models.TextField(blank=True)
    last_modified = models.TextField(blank=True)
    checked_at = models.DateTimeField(null=True)
    succeeded_at = models.DateTimeField(null=True)
    message = models.TextField(blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "relation rules"

    def __str__(self) -> str:
        return self.url


class Link(models.Model):
    """One person's account at a provider, whose list is followed."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="watch_links")
    provider = models.CharField(max_length=32)
    external_id = models.CharField(max_length=64, blank=True, help_text="Empty: not verified yet.")
    name = models.CharField(max_length=100, blank=True, help_text="As the provider writes it.")
    token = EncryptedTextField(blank=True, help_text="Empty: linked by public name.")
    token_ends_at = models.DateTimeField(null=True)
    statuses = ArrayField(
        models.CharField(max_length=16),
        default=list,
        help_text="Of the shows that are followed by themselves.",
    )
    include_adult = models.BooleanField(default=False)
    next_sync_at = models.DateTimeField(db_default=Now())
    leased_until = models.DateTimeField(null=True, help_text="A worker reads the list.")
    long = models.BooleanField(
        default=False, help_text="Its list is too long to be read whole: only what is followed of it is."
    )
    asked_at = models.DateTimeField(null=True, help_text="Its owner wanted it to be read at once.")
    synced_at = models.DateTimeField(null=True, help_text="As old is what was read last.")
    failing_since = models.DateTimeField(null=True)
    failures = models.IntegerField(default=0, help_text="In a row.")
    message = models.TextField(blank=True, help_text="What is the matter and what to do, in words.")
    linked_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = (models.UniqueConstraint(fields=["user", "provider"], name="link_once"),)
        indexes = (models.Index(fields=["next_sync_at"], name="link_due"),)

    def __str__(self) -> str:
        return f"{self.provider} {self.name}"
