"""All settings in one file, each taken from the environment with a default that is safe or that makes `make demo` run.

Variables: TANDEM_HOME, DATABASE_URL, REDIS_URL, PORT, DEBUG, SECRET_KEY, ALLOWED_HOSTS, SITE_URL, EMAIL_URL-like EMAIL_*,
TIME_ZONE, LANGUAGE_CODE, BEHIND_TLS. `docs/deployment.md` explains each.
"""

import os
import secrets
from pathlib import Path

import dj_database_url
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from portal.embedded import home_folder, valkey_socket

BASE_DIR = Path(__file__).resolve().parent.parent
HOME = home_folder()
HOME.mkdir(parents=True, exist_ok=True)


def env_flag(name: str, default: bool) -> bool:
    """Read a yes/no variable; anything but 1, true, yes, on is no."""
    return os.environ.get(name, str(default)).strip().lower() in {"1", "true", "yes", "on"}


def env_list(name: str, default: str) -> list[str]:
    """Read a comma separated variable."""
    return [part.strip() for part in os.environ.get(name, default).split(",") if part.strip()]


def kept_secret() -> str:
    """Give the signing key: from SECRET_KEY, else one made at first start and kept in TANDEM_HOME for its owner alone."""
    if key := os.environ.get("SECRET_KEY"):
        return key
    path = HOME / "secret-key"
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(64))
    except FileExistsError:
        pass
    return path.read_text()


SECRET_KEY = kept_secret()
DEBUG = env_flag("DEBUG", False)
PORT = int(os.environ.get("PORT", "8000"))
SITE_URL = os.environ.get("SITE_URL", f"http://127.0.0.1:{PORT}").rstrip("/")
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1],testserver")
CSRF_TRUSTED_ORIGINS = env_list("CSRF_TRUSTED_ORIGINS", SITE_URL)
DEMO = env_flag("TANDEM_DEMO", False)  # shows the page that says who to sign in as
VALKEY_SOCKET = valkey_socket(HOME)

INSTALLED_APPS = [
    "daphne",
    "portal.apps.PortalConfig",
    "workflows",
    "social_feed",
    "crm",
    "projects",
    "customer_cabinet",
    "partners",
    "analytics",
    "django_cotton.apps.SimpleAppConfig",
    "template_partials.apps.SimpleAppConfig",
    "django_htmx",
    "django_vite",
    "djmoney",
    "channels",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "wagtail.contrib.forms",
    "wagtail.contrib.redirects",
    "wagtail.contrib.settings",
    "wagtail.embeds",
    "wagtail.sites",
    "wagtail.users",
    "wagtail.snippets",
    "wagtail.documents",
    "wagtail.images",
    "wagtail.search",
    "wagtail.admin",
    "wagtail",
    "modelcluster",
    "taggit",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "portal.middleware.AddressMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",  # pages; built files lie compressed beside themselves
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "portal.middleware.ActedMiddleware",
    "portal.middleware.ActorMiddleware",
    "portal.middleware.SignInMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "portal.middleware.ViewingMiddleware",
    "portal.middleware.ReadingMiddleware",
    "portal.middleware.RefusalMiddleware",
]

ROOT_URLCONF = "portal.urls"
ASGI_APPLICATION = "portal.asgi.application"
PAGE_THREADS = int(os.environ.get("PAGE_THREADS", "16"))  # pages that one process makes at a time

_template_loaders = [
    "django_cotton.cotton_loader.Loader",
    "django.template.loaders.filesystem.Loader",
    "django.template.loaders.app_directories.Loader",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.context_processors.shell",
            ],
            # Order matters: partials around the cache, the cache around cotton (docs/decisions/templates.md).
            "loaders": [("template_partials.loader.Loader", [("portal.templating.loader.Loader", _template_loaders)])],
            "builtins": [
                "django_cotton.templatetags.cotton",
                "template_partials.templatetags.partials",
                "django.templatetags.i18n",
                "django.templatetags.static",
                "portal.templatetags.kit",
                "portal.templatetags.portal_tags",
                "portal.templating.components",
            ],
        },
    },
]

_sqlite_url = f"sqlite:///{HOME / 'tandem.sqlite3'}"
DATABASES = {"default": dj_database_url.parse(os.environ.get("DATABASE_URL", _sqlite_url))}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["CONN_MAX_AGE"] = None  # a page's thread keeps its own (portal/handler.py)
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-32000;",
    }
else:
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True  # a connection that died in the pool is replaced, not handed out
    DATABASES["default"].setdefault("OPTIONS", {})["pool"] = {"min_size": 1, "max_size": int(os.environ.get("DB_POOL", "8"))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = os.environ.get("REDIS_URL", "")
_cache_url = REDIS_URL or f"unix://{VALKEY_SOCKET}?db=1"
CACHES = {"default": {"BACKEND": "portal.cache.RedisCache", "LOCATION": _cache_url, "KEY_PREFIX": "tandem"}}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL or f"unix://{VALKEY_SOCKET}?db=2"], "prefix": os.environ.get("LIVE_PREFIX", "tandem")},
    }
}
CELERY_BROKER_URL = REDIS_URL or f"redis+socket://{VALKEY_SOCKET}?virtual_host=0"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_DEFAULT_QUEUE = os.environ.get("CELERY_QUEUE", "tandem")
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = str(HOME / "beat-schedule")
# Beat only wakes the runtime; what is due stands in the database. A missed or doubled wake-up changes nothing.
CELERY_BEAT_SCHEDULE = {
    "run-due": {"task": "workflows.tasks.run_due", "schedule": 1.0, "options": {"expires": 5}},
    "resume-jobs": {"task": "portal.tasks.resume_jobs", "schedule": 5.0, "options": {"expires": 5}},
    "look-at-clocks": {"task": "workflows.tasks.look_at_clocks", "schedule": 5.0, "options": {"expires": 5}},
    "drop-exports": {"task": "portal.tasks.drop_exports", "schedule": 3600.0, "options": {"expires": 600}},
    "remind-of-appointments": {"task": "crm.tasks.remind_of_appointments", "schedule": 60.0, "options": {"expires": 50}},
    "forget-unconfirmed": {"task": "crm.tasks.forget_unconfirmed", "schedule": 3600.0, "options": {"expires": 1800}},
    "send-outbox": {"task": "workflows.tasks.send_outbox", "schedule": 1.0, "options": {"expires": 5}},
}

# A visitor's request that nobody confirmed by the link in the letter is deleted after so many days.
PUBLIC_START_DAYS = int(os.environ.get("PUBLIC_START_DAYS", "14"))

SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
SESSION_COOKIE_AGE = 60 * 60 * 24 * 14
AUTH_USER_MODEL = "portal.User"
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend", "allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/home/"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_USER_MODEL_EMAIL_FIELD = "email"
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_ADAPTER = "portal.accounts.AccountAdapter"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = DEBUG or SITE_URL.startswith("http://127.0.0.1")
MFA_TOTP_ISSUER = "Tandem"
MFA_FORMS = {"authenticate": "portal.second_step.AuthenticateForm", "reauthenticate": "portal.second_step.ReauthenticateForm"}
MFA_TOTP_TOLERANCE = 1  # the codes next to this one are good too, for slow typing and clocks that differ (RFC 6238, 5.2 and 6)
USERSESSIONS_TRACK_ACTIVITY = False  # a write on every page; sessions are listed without it

LANGUAGE_CODE = os.environ.get("LANGUAGE_CODE", "en")
LANGUAGES = [("en", _("English")), ("ru", _("Russian"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = os.environ.get("TIME_ZONE", "UTC")
USE_I18N = True
USE_TZ = True
CURRENCIES = ("EUR", "USD", "GBP", "RUB", "CHF")
DEFAULT_CURRENCY = os.environ.get("DEFAULT_CURRENCY", "USD")

STATIC_URL = "/static/"
STATIC_ROOT = HOME / "static"
FRONTEND_DIST = BASE_DIR / "frontend" / "dist"
STATICFILES_DIRS = [FRONTEND_DIST] if FRONTEND_DIST.exists() else []
DJANGO_VITE = {"default": {"dev_mode": False, "manifest_path": FRONTEND_DIST / "manifest.json"}}
WHITENOISE_USE_FINDERS = True
WHITENOISE_IMMUTABLE_FILE_TEST = r"^.+[.-][0-9A-Za-z_-]{8,}\.(js|css|woff2|svg|png)$"
MEDIA_ROOT = HOME / "media"
MEDIA_URL = "/media/"
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
UPLOAD_MAX_BYTES = int(os.environ.get("UPLOAD_MAX_BYTES", 25 * 1024 * 1024))

BEHIND_TLS = env_flag("BEHIND_TLS", SITE_URL.startswith("https://"))
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_TLS else None
TRUSTED_PROXIES = int(os.environ.get("TRUSTED_PROXIES", 0))  # proxies in front of us, each of which adds to X-Forwarded-For
SECURE_SSL_REDIRECT = BEHIND_TLS
SECURE_HSTS_SECONDS = 31536000 if BEHIND_TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = BEHIND_TLS
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BEHIND_TLS
SESSION_COOKIE_HTTPONLY = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "SAMEORIGIN"
CSRF_FAILURE_VIEW = "portal.views.errors.csrf_failure"
CONTENT_SECURITY_POLICY = {
    "EXCLUDE_URL_PREFIXES": ["/cms/"],  # Wagtail's editor needs inline script; it is for editors alone
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "style-src-attr": ["'unsafe-inline'"],  # diagram and chart libraries set style attributes
        "img-src": [SELF, "data:", "blob:"],
        "font-src": [SELF, "data:"],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [SELF],
    },
}

EMAIL_BACKEND = os.environ.get("EMAIL_BACKEND", "django.core.mail.backends.filebased.EmailBackend")
EMAIL_FILE_PATH = HOME / "mail"
EMAIL_HOST = os.environ.get("EMAIL_HOST", "localhost")
EMAIL_PORT = int(os.environ.get("EMAIL_PORT", "25"))
EMAIL_HOST_USER = os.environ.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = os.environ.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env_flag("EMAIL_USE_TLS", False)
DEFAULT_FROM_EMAIL = os.environ.get("DEFAULT_FROM_EMAIL", "Tandem <portal@localhost>")

OUTBOX_HOSTS = env_list("OUTBOX_HOSTS", "")  # host:port that processes may call over HTTP

WAGTAIL_SITE_NAME = "Tandem"
WAGTAILADMIN_BASE_URL = SITE_URL
WAGTAIL_ENABLE_UPDATE_CHECK = False
WAGTAILADMIN_LOGIN_URL = "account_login"
WAGTAILSEARCH_BACKENDS = {"default": {"BACKEND": "wagtail.search.backends.database"}}
WAGTAILDOCS_SERVE_METHOD = "serve_view"
WAGTAILDOCS_EXTENSIONS = ["csv", "docx", "pdf", "pptx", "txt", "xlsx", "zip"]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": os.environ.get("LOG_LEVEL", "INFO")},
    "loggers": {"spiff": {"level": "WARNING"}, "daphne": {"level": "WARNING"}},
}
