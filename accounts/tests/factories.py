from factory.declarations import Sequence
from factory.django import DjangoModelFactory, Password

from accounts import sessions
from accounts.models import Role, User

PASSWORD = "correct horse battery"


class UserFactory(DjangoModelFactory[User]):
    """A person who may log in with PASSWORD."""

    class Meta:
        model = User

    username = Sequence(lambda number: f"user{number}")  # type: ignore[no-untyped-call]
    password = Password(PASSWORD)  # type: ignore[no-untyped-call]


class AdminFactory(UserFactory):
    role = Role.ADMIN


def access_token(user: User) -> str:
    """Of a session that this person has, without anybody hashing a password."""
    return str(sessions.access_token(sessions.open_session(user=user)))
