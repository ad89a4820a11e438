"""Release names (`[Grp] Show - 05 [1080p]`, `Show.S01E05.1080p-GRP`) read into a `Release`; pure functions."""

from feeds.releases.parsing import parse
from feeds.releases.release import EpisodeNumber, Release, Special

__all__ = ["EpisodeNumber", "Release", "Special", "parse"]
