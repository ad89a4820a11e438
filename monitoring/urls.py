from django.urls import path

from monitoring.views import grafana_access, live, metrics, ready

urlpatterns = [
    path("metrics", metrics, name="metrics"),
    path("health/live", live, name="health-live"),
    path("health/ready", ready, name="health-ready"),
    path("grafana-access", grafana_access, name="grafana-access"),
]
