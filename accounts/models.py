"""Who may use the box, how much of it, and by what they are recognised."""

import re
import uuid
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

USERNAME_LENGTH = 64
USERNAME_PATTERN = rf"^[A-Za-z0-9][A-Za-z0-9._-]{{0,{USERNAME_LENGTH - 1}}}\Z"
USERNAME_RULE = (
    f"Use up to {USERNAME_LENGTH} letters (a to z), digits, dots, underscores and hyphens, "
    "beginning with a letter or a digit."
)
DEVICE_NAME_LENGTH = 100
NAME_TAKEN = "There is already a user of this name."


class Role(models.TextChoices):
    USER = "user", "User"
    ADMIN = "admin", "Admin"


@lru_cache(maxsize=1024)
def _session_auth_hash(password: str, secret: str) -> str:
    """Django's, which is asked with each request, computed once. `password` is its hash; `secret` is SECRET_KEY."""
    return AbstractBaseUser.get_session_auth_hash(User(password=password))


class UserManager(BaseUserManager["User"]):
    def create_user(self, username: str, password: str | None = None, *, role: str = Role.USER) -> "User":
        """Store a user as given; `services.create_user` is the one that validates."""
        user = self.model(username=username, role=role)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, username: str, password: str | None = None) -> "User":
        """What `manage.py createsuperuser` calls."""
        return self.create_user(username, password, role=Role.ADMIN)

    def named(self, username: str) -> models.QuerySet["User"]:
        """The user of that name in any case, by the index of the unique constraint."""
        if not re.match(USERNAME_PATTERN, username):
            return self.none()  # PostgreSQL cannot even be asked for some of what may be typed
        return self.alias(lower_username=Lower("username")).filter(lower_username=username.lower())

    def listed(self, *, role: str | None = None) -> models.QuerySet["User"]:
        """Everybody, or those of a role, by name."""
        everybody = self.order_by(Lower("username"))
        return everybody if role is None else everybody.filter(role=role)

    def may_administer(self) -> models.QuerySet["User"]:
        """The admins who may log in."""
        return self.filter(role=Role.ADMIN, is_active=True)

    def get_by_natural_key(self, username: str | None) -> "User":
        """What Django's login calls."""
        return self.named(username or "").get()


class User(AbstractBaseUser):
    """One person. Quotas are null where the server's default holds, limits of speed where there is none."""

    username = models.CharField(
        max_length=USERNAME_LENGTH,
        unique=True,  # Django's own checks want it; the constraint below is the stricter one
        validators=[RegexValidator(USERNAME_PATTERN, USERNAME_RULE)],
        help_text=USERNAME_RULE,
        error_messages={"unique": NAME_TAKEN},
    )
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.USER)
    is_active = models.BooleanField("active", default=True)
    disk_quota = models.PositiveBigIntegerField(  # bytes
        null=True, blank=True, validators=[MinValueValidator(1)]
    )
    monthly_traffic_limit = models.PositiveBigIntegerField(  # bytes
        null=True, blank=True, validators=[MinValueValidator(1)]
    )
    active_torrent_limit = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)]
    )
    download_limit = models.PositiveBigIntegerField(  # bytes a second, over all their downloads
        null=True, blank=True, validators=[MinValueValidator(1)]
    )
    upload_limit = models.PositiveBigIntegerField(  # bytes a second, to other peers
        null=True, blank=True, validators=[MinValueValidator(1)]
    )
    date_joined = models.DateTimeField("joined", default=timezone.now, editable=False)
    note = models.TextField(blank=True, help_text="For admins only, for example whose cousin this is.")

    USERNAME_FIELD = "username"

    objects = UserManager()

    class Meta:
        ordering = ["username"]
        constraints = [
            models.UniqueConstraint(
                Lower("username"),
                name="accounts_user_username_unique_in_any_case",
                violation_error_message=NAME_TAKEN,
            ),
            models.CheckConstraint(
                condition=models.Q(username__regex=USERNAME_PATTERN),
                name="accounts_user_username_is_plain",
                violation_error_message=USERNAME_RULE,
            ),
            models.CheckConstraint(
                condition=models.Q(role__in=Role.values), name="accounts_user_role_is_known"
            ),
            models.CheckConstraint(
                condition=models.Q(disk_quota=None) | models.Q(disk_quota__gt=0),
                name="accounts_user_disk_quota_is_positive",
            ),
            models.CheckConstraint(
                condition=models.Q(monthly_traffic_limit=None) | models.Q(monthly_traffic_limit__gt=0),
                name="accounts_user_monthly_traffic_limit_is_positive",
            ),
            models.CheckConstraint(
                condition=models.Q(active_torrent_limit=None) | models.Q(active_torrent_limit__gt=0),
                name="accounts_user_active_torrent_limit_is_positive",
            ),
            models.CheckConstraint(
                condition=models.Q(download_limit=None) | models.Q(download_limit__gt=0),
                name="accounts_user_download_limit_is_positive",
            ),
            models.CheckConstraint(
                condition=models.Q(upload_limit=None) | models.Q(upload_limit__gt=0),
                name="accounts_user_upload_limit_is_positive",
            ),
        ]

    @property
    def is_admin(self) -> bool:
        return self.role == Role.ADMIN

    def get_session_auth_hash(self) -> str:
        return _session_auth_hash(self.password, settings.SECRET_KEY)

    # What Django's admin site asks of a user. There are no groups or single permissions: the role decides.
    @property
    def is_staff(self) -> bool:
        return self.is_admin

    @property
    def is_superuser(self) -> bool:
        return self.is_admin

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        return self.is_active and self.is_admin

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_active and self.is_admin


class DeviceSessionQuerySet(models.QuerySet["DeviceSession"]):
    def alive(self) -> "DeviceSessionQuerySet":
        return self.filter(ended_at=None, expires_at__gt=timezone.now())

    def with_user(self, session_id: uuid.UUID) -> "DeviceSessionQuerySet":
        """Whose requests these are: asked with each of them, so without what none of them shows."""
        unseen = ("name", "created_at", "last_used_at", "last_address", "generation", "rotations")
        return self.filter(pk=session_id).select_related("user").defer(*unseen, "user__note").order_by()

    def barely(self, session_id: uuid.UUID) -> "DeviceSessionQuerySet":
        """Only what it takes to let a request pass: for those that need nothing else of their user."""
        seen = ("user_id", "auth_hash", "ended_at", "expires_at", "user__is_active", "user__password")
        return self.filter(pk=session_id).select_related("user").only(*seen).order_by()


class TransferCredentialQuerySet(models.QuerySet["TransferCredential"]):
    def alive(self) -> "TransferCredentialQuerySet":
        return self.filter(revoked_at=None, expires_at__gt=timezone.now())


class DeviceSession(models.Model):
    """One logged-in device: a family of refresh tokens of which only the newest generation renews it.

    Tokens are not stored: `sessions.py` derives them from the key, the id and the generation.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="device_sessions")
    name = models.CharField(max_length=DEVICE_NAME_LENGTH)
    created_at = models.DateTimeField(default=timezone.now)
    last_used_at = models.DateTimeField(default=timezone.now)  # to the lifetime of an access token
    last_address = models.GenericIPAddressField(null=True, unpack_ipv4=True)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    generation = models.PositiveIntegerField(default=0)
    # When the latest generations were replaced, newest last; only those that still get their successor again.
    rotations = ArrayField(models.DateTimeField(), default=list)
    # Differs from the user's as soon as the password was changed, by whatever way.
    auth_hash = models.CharField(max_length=128)

    objects = DeviceSessionQuerySet.as_manager()

    class Meta:
        ordering = ["-last_used_at", "id"]

    def __str__(self) -> str:
        return self.name


class FailedLoginsQuerySet(models.QuerySet["FailedLogins"]):
    def locked(self) -> "FailedLoginsQuerySet":
        """Those for whose sake somebody has to wait now."""
        return self.filter(locked_until__gt=timezone.now())

    def that_lock_out(self, user: User) -> "FailedLoginsQuerySet":
        """A person's own, and those of everybody at an address where this person failed, too."""
        name = user.username.lower()
        addresses = self.filter(username=name).values("address")
        return self.locked().filter(models.Q(username=name) | models.Q(username="", address__in=addresses))

    def with_person(self) -> "FailedLoginsQuerySet":
        """Each with `person`: the name of the user whose name was typed, or None."""
        named = User.objects.alias(lower=Lower("username")).filter(lower=models.OuterRef("username"))
        return self.annotate(person=models.Subquery(named.values("username")))


class FailedLogins(models.Model):
    """How often somebody failed lately. `username` is empty in the row that counts an address alone."""

    username = models.CharField(max_length=USERNAME_LENGTH, blank=True)  # in lower case; need not exist
    address = models.CharField(max_length=64, blank=True)  # an IPv4 address or an IPv6 /64
    failures = models.PositiveIntegerField(default=0)
    last_failure_at = models.DateTimeField()
    locked_until = models.DateTimeField(null=True)

    objects = FailedLoginsQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "failed logins"
        constraints = [
            models.UniqueConstraint(
                fields=["username", "address"], name="accounts_failedlogins_one_row_for_each"
            )
        ]

    def __str__(self) -> str:
        return f"{self.failures} of {self.username or 'anybody'} from {self.address}"

    @property
    def is_locked(self) -> bool:
        return self.locked_until is not None and self.locked_until > timezone.now()


class SshKey(models.Model):
    """A public key that opens SFTP for one person, and for nobody else."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="ssh_keys")
    name = models.CharField(max_length=DEVICE_NAME_LENGTH)
    public_key = models.TextField()  # "type base64"
    fingerprint = models.CharField(max_length=50, unique=True)  # "SHA256:…", as ssh-keygen shows it
    created_at = models.DateTimeField(default=timezone.now)
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["created_at", "id"]

    def __str__(self) -> str:
        return self.name


class TransferCredential(models.Model):
    """A password for SFTP that lives for minutes and is used as often as its owner likes meanwhile."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="transfer_credentials")
    # Of 256 random bits, so a quick hash is as good as a slow one.
    secret_sha256 = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    objects = TransferCredentialQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "id"]

    def __str__(self) -> str:
        return f"of {self.user} until {self.expires_at}"

    @property
    def is_alive(self) -> bool:
        return self.revoked_at is None and self.expires_at > timezone.now()


class AuditEvent(models.Model):
    """Who did what to whose account, from where and when. Never holds a secret."""

    class Action(models.TextChoices):
        LOGGED_IN = "logged_in", "Logged in"
        LOGIN_FAILED = "login_failed", "Login failed"
        LOCKED_OUT = "locked_out", "Locked out"
        UNLOCKED = "unlocked", "Unlocked"
        SESSION_ENDED = "session_ended", "Session ended"
        TOKEN_REUSED = "token_reused", "Session ended: its token was used twice"
        PASSWORD_CHANGED = "password_changed", "Password changed"
        PASSWORD_RESET = "password_reset", "Password reset"
        KEY_ADDED = "key_added", "SSH key added"
        KEY_REMOVED = "key_removed", "SSH key removed"
        CREDENTIAL_MADE = "credential_made", "Transfer credential made"
        CREDENTIAL_REVOKED = "credential_revoked", "Transfer credential revoked"
        USER_CREATED = "user_created", "User created"
        USER_CHANGED = "user_changed", "User changed"
        USER_DISABLED = "user_disabled", "User disabled"
        USER_ENABLED = "user_enabled", "User enabled"
        TORRENT_BLOCKED = "torrent_blocked", "Torrent blocked"
        TORRENT_UNBLOCKED = "torrent_unblocked", "Torrent unblocked"
        SUPPORT_BUNDLE = "support_bundle", "Support bundle made"

    class Channel(models.TextChoices):
        """Where somebody logs in."""

        APP = "app", "App"
        ADMIN = "admin", "Admin pages"
        SFTP = "sftp", "SFTP"

    at = models.DateTimeField("when", default=timezone.now, db_index=True)
    action = models.CharField("what", max_length=32, choices=Action.choices)
    # Null: nobody who is logged in, or the server's own command line.
    actor = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="+", verbose_name="who")
    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="+", verbose_name="whom")
    address = models.GenericIPAddressField(null=True, unpack_ipv4=True)
    channel = models.CharField(  # of logins
        "where", max_length=8, choices=Channel.choices, blank=True, db_default=""
    )
    detail = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return self.get_action_display()
