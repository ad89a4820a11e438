from django.apps import AppConfig


class ProxySiteConfig(AppConfig):
    name = "proxy_site"

    def ready(self) -> None:
        from proxy_site import checks  # noqa: F401  registers itself
