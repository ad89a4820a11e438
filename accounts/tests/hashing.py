from django.contrib.auth.hashers import Argon2PasswordHasher


class QuickArgon2PasswordHasher(Argon2PasswordHasher):
    """The same algorithm with the least it accepts: for tests that are not about hashing."""

    time_cost = 1
    memory_cost = 8
    parallelism = 1
