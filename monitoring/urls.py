from django.urls import path

from monitoring.views import live, metrics, ready

urlpatterns = [
    path("metrics", metrics, name="metrics"),
    path("health/live", live, name="health-live"),
    path("health/ready", ready, name="health-ready"),
]
