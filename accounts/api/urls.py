from django.urls import path

from accounts.api import own_views, views

urlpatterns = [
    path("session/", views.LoginView.as_view(), name="login"),
    path("session/refresh/", views.RefreshView.as_view(), name="refresh"),
    path("session/logout/", views.LogoutView.as_view(), name="logout"),
    path("me/", views.MeView.as_view(), name="me"),
    path("me/sessions/", own_views.SessionsView.as_view(), name="sessions"),
    path("me/sessions/<uuid:session_id>/", own_views.SessionView.as_view(), name="session"),
    path("me/password/", own_views.PasswordView.as_view(), name="password"),
    path("me/ssh-keys/", own_views.SshKeysView.as_view(), name="ssh-keys"),
    path("me/ssh-keys/<int:key_id>/", own_views.SshKeyView.as_view(), name="ssh-key"),
    path(
        "me/transfer-credentials/", own_views.TransferCredentialsView.as_view(), name="transfer-credentials"
    ),
    path(
        "me/transfer-credentials/<uuid:credential_id>/",
        own_views.TransferCredentialView.as_view(),
        name="transfer-credential",
    ),
]
