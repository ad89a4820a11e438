"""What a person chose in the app and finds again next time; kept in `preferences.json`."""

from dataclasses import asdict, dataclass, field
from pathlib import Path

from torrent_proxy_client.files import read_json_object, write_json
from torrent_proxy_client.partfile import Conflict


@dataclass(slots=True)
class Preferences:
    sort: str = "added"
    reverse: bool = False
    shows_sort: str = "name"
    shows_reverse: bool = False
    conflict: str = Conflict.KEEP_BOTH.value
    filter: dict[str, object] = field(default_factory=dict)  # a Filter of the list, as `asdict` makes it

    @classmethod
    def load(cls, directory: Path) -> "Preferences":
        """Defaults for whatever is missing or of the wrong kind."""
        stored = read_json_object(directory / "preferences.json")
        preferences = cls()
        for name, default in asdict(preferences).items():
            value = stored.get(name)
            if isinstance(value, type(default)):
                setattr(preferences, name, value)
        if preferences.conflict not in [policy.value for policy in Conflict]:
            preferences.conflict = Conflict.KEEP_BOTH.value
        return preferences

    def save(self, directory: Path) -> None:
        """Raises OSError."""
        write_json(directory / "preferences.json", asdict(self))
