"""What every test of the server shares."""

import hypothesis
import pytest
from django.conf import settings as configured
from pytest_django import Settings

# How long an example takes says something of the machine, and nothing of us.
hypothesis.settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any machine")


@pytest.fixture(autouse=True, scope="session")
def directory_of_static_files() -> None:
    """WhiteNoise warns where nobody has run collectstatic, and warnings are errors."""
    configured.STATIC_ROOT.mkdir(exist_ok=True)


@pytest.fixture(autouse=True)
def quick_password_hashes(settings: Settings) -> None:
    """A real Argon2 hash takes 100 MiB and a tenth of a second. Tests of hashing put the real one back."""
    settings.PASSWORD_HASHERS = ["accounts.tests.hashing.QuickArgon2PasswordHasher"]
