import django.contrib.postgres.fields
from django.db import migrations, models

# Who brought what was not noted. What is joined already stays, whoever's claim stays.
KEEP = """
UPDATE torrents_claim AS claim SET trackers = torrent.trackers FROM torrents_torrent AS torrent
WHERE torrent.id = claim.torrent_id AND torrent.private IS DISTINCT FROM false;
"""


class Migration(migrations.Migration):
    dependencies = [("torrents", "0007_admission")]

    operations = [
        migrations.RemoveIndex(model_name="torrent", name="torrent_unclaimed"),
        migrations.AddField(
            model_name="claim",
            name="trackers",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.TextField(),
                default=list,
                help_text="Vetted announce URLs that they brought; a private torrent announces to its one claim's only.",
                size=None,
            ),
        ),
        migrations.RunSQL(KEEP, migrations.RunSQL.noop),
    ]
