"""Who may use the box, and how much of it."""

from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
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
NAME_TAKEN = "There is already a user of this name."


class Role(models.TextChoices):
    USER = "user", "User"
    ADMIN = "admin", "Admin"


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
        return self.alias(lower_username=Lower("username")).filter(lower_username=username.lower())

    def get_by_natural_key(self, username: str | None) -> "User":
        """What Django's login calls."""
        return self.named(username or "").get()


class User(AbstractBaseUser):
    """One person. Limits are null where the server's default holds."""

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
        ]

    @property
    def is_admin(self) -> bool:
        return self.role == Role.ADMIN

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
