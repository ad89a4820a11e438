from django.urls import path

from accounts.api import views

urlpatterns = [
    path("session/", views.LoginView.as_view(), name="login"),
    path("session/refresh/", views.RefreshView.as_view(), name="refresh"),
    path("session/logout/", views.LogoutView.as_view(), name="logout"),
    path("me/", views.MeView.as_view(), name="me"),
]
