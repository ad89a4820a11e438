"""Release names, `[Grp] Show - 05 [1080p]` or `Show.S01E05.1080p.WEB.x264-GRP`, read into a `Release`. Pure functions."""

from feeds.releases.parsing import parse
from feeds.releases.release import EpisodeNumber, Release, Special

__all__ = ["EpisodeNumber", "Release", "Special", "parse"]
