from typing import Any

from django.db import migrations, models


def whoever_has_a_private_torrent_keeps_it(apps: Any, schema_editor: Any) -> None:
    """How they came to it was not noted, and there is one claim on each."""
    apps.get_model("torrents", "Claim").objects.filter(torrent__private=True).update(by_torrent_file=True)


class Migration(migrations.Migration):
    dependencies = [("torrents", "0004_claims_complete")]

    operations = [
        migrations.AddField(
            model_name="claim",
            name="by_torrent_file",
            field=models.BooleanField(
                default=False,
                help_text="They presented the .torrent: a private torrent is theirs before any magnet's.",
            ),
        ),
        migrations.AlterField(
            model_name="torrent",
            name="unclaimed_at",
            field=models.DateTimeField(
                help_text="Since when nobody holds it, though some may still take it back.", null=True
            ),
        ),
        migrations.RunPython(whoever_has_a_private_torrent_keeps_it, migrations.RunPython.noop),
    ]
