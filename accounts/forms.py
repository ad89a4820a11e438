"""What an admin types about a person."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.password_validation import password_validators_help_text_html, validate_password
from django.core.exceptions import ValidationError

from accounts import audit, login
from accounts.addresses import address_of
from accounts.models import NAME_TAKEN, User
from proxy_site.api.errors import ApiError

if TYPE_CHECKING:
    UserModelForm = forms.ModelForm[User]  # generic for the type checker only
else:
    UserModelForm = forms.ModelForm

GIBIBYTE = 1024**3
MEBIBYTE = 1024**2
LARGEST = 1_000_000  # of a unit


def gibibytes(size: int) -> str:
    """Bytes as an exact number of GiB: `0.5`, `200`."""
    return f"{(Decimal(size) / GIBIBYTE).normalize():f}"


class LoginForm(AdminAuthenticationForm):
    """The login of the admin pages: the same lockout and the same few hashes at once as the API's."""

    def clean(self) -> dict[str, Any]:
        username, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if username and password:
            address = address_of(self.request) if self.request else ""
            try:
                user = login.check_password(
                    username=username, password=password, address=address, channel=audit.Channel.ADMIN
                )
            except ApiError as refusal:  # locked out, or too busy
                raise ValidationError(str(refusal.detail)) from None
            if user is None:
                raise self.get_invalid_login_error()
            self.confirm_login_allowed(user)
            by = audit.By(user, address, audit.Channel.ADMIN)
            audit.record(audit.Action.LOGGED_IN, user=user, by=by, detail="In the admin pages.")
            self.user_cache = user
        return self.cleaned_data


class GibibytesField(forms.Field):
    """Shown and typed in GiB, stored in bytes; empty is None."""

    widget = forms.NumberInput(attrs={"step": "any", "min": 0})
    unit, unit_name, without = GIBIBYTE, "GiB", "the server's default"

    def prepare_value(self, value: Any) -> Any:
        return f"{(Decimal(value) / self.unit).normalize():f}" if isinstance(value, int) else value

    def to_python(self, value: Any) -> int | None:
        if value in self.empty_values:
            return None
        try:
            size = round(Decimal(value) * self.unit)
        except (ArithmeticError, ValueError):  # "much", NaN, infinity
            size = 0
        if not 0 < size <= LARGEST * self.unit:
            raise ValidationError(
                f"Enter a number of {self.unit_name} above 0 and up to {LARGEST}, "
                f"or nothing for {self.without}."
            )
        return size


class SpeedField(GibibytesField):
    """Shown and typed in MiB a second, stored in bytes a second; empty is None."""

    unit, unit_name, without = MEBIBYTE, "MiB/s", "no limit"


class PasswordFields(forms.Form):
    """A password typed twice, or nothing at all: then one is made."""

    password1 = forms.CharField(
        label="Password",
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=password_validators_help_text_html,
    )
    password2 = forms.CharField(
        label="Password again",
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    @property
    def chosen_password(self) -> str | None:
        """None: make one."""
        return self.cleaned_data["password1"] or None

    def check_passwords(self, user: User) -> None:
        """For `clean`: reports what is wrong beside the field it is about."""
        password = self.cleaned_data.get("password1", "")
        if password != self.cleaned_data.get("password2", ""):
            self.add_error("password2", "The two passwords differ. Type the same one twice.")
        elif password:
            try:
                validate_password(password, user)
            except ValidationError as error:
                self.add_error("password1", error)


class NewPasswordForm(PasswordFields):
    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        self.user = user
        super().__init__(*args, **kwargs)

    def clean(self) -> None:
        self.check_passwords(self.user)


class NewUserForm(PasswordFields, UserModelForm):
    class Meta:
        model = User
        fields = ("username", "role")

    def clean_username(self) -> str:
        username: str = self.cleaned_data["username"]
        if User.objects.named(
            username
        ).exists():  # the model reports "Bob" for "bob" too, but not at the field
            raise ValidationError(NAME_TAKEN)
        return username

    def clean(self) -> dict[str, Any] | None:
        # A password may not resemble the name, and the instance has none before `clean` is over.
        self.check_passwords(User(username=self.cleaned_data.get("username", "")))
        return super().clean()


class UserForm(UserModelForm):
    disk_quota = GibibytesField(
        required=False,
        label="Disk space (GiB)",
        help_text="How much this person's torrents may fill. Empty: the server's default.",
    )
    monthly_traffic_limit = GibibytesField(
        required=False,
        label="Traffic a month (GiB)",
        help_text="How much this person may transfer in a month. Empty: the server's default.",
    )

    download_limit = SpeedField(
        required=False,
        label="Download speed (MiB/s)",
        help_text="How fast this person's torrents may be received, all together. Empty: no limit.",
    )
    upload_limit = SpeedField(
        required=False,
        label="Upload speed (MiB/s)",
        help_text="How fast this person's torrents may be sent to other peers, all together. Empty: no limit.",
    )

    class Meta:
        model = User
        fields = (
            "role",
            "is_active",
            "disk_quota",
            "monthly_traffic_limit",
            "active_torrent_limit",
            "download_limit",
            "upload_limit",
            "note",
        )
        error_messages = {
            "active_torrent_limit": {"min_value": "Enter 1 or more, or nothing for the server's default."}
        }
        labels = {"is_active": "Active (may log in)", "active_torrent_limit": "Active torrents"}
        help_texts = {
            "role": "Admins manage people and see these pages. Users only have their own torrents.",
            "is_active": "Disabled people cannot log in; their torrents stay.",
            "active_torrent_limit": "How many may download at the same time. Empty: the server's default.",
        }
