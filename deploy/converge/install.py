"""The order in which a server becomes a box. Any number of runs, killed anywhere, end alike."""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from deploy.converge import (
    admin,
    caddy,
    configuration,
    database,
    grafana,
    health,
    host,
    monitoring,
    packages,
    people,
    places,
    units,
    upgrade,
)
from deploy.converge.answers import Answers
from deploy.converge.commands import InstallError
from deploy.converge.environment_files import read_variables
from deploy.converge.files import File, Missing
from deploy.converge.release import Release, current, identifier, superfluous
from deploy.converge.restoring import RESTORED, Takeover
from deploy.converge.run import Run
from deploy.converge.systemd import Enabled
from deploy.converge.words import Ending, last_words

COMMAND = Path("/usr/local/sbin/torrentproxy-manage")
COMMAND_TEXT = f"""#!/bin/sh
# Written by deploy/install.sh: any command of the box, as its user and with its settings.
# -P: root imports nothing from the folder it happens to stand in, such as one that a torrent brought.
PYTHONPATH={places.CURRENT} exec python3 -BP -m deploy.converge.manage "$@"
"""


@dataclass
class Installation:
    """One run of the installer. `takeover`: the backup that a new machine goes on from."""

    session: Run
    answers: Answers
    checkout: Path
    takeover: Takeover | None = None
    first: bool = False  # no box has been well here before

    @property
    def deploy(self) -> Path:
        return self.checkout / "deploy"

    def run(self) -> list[str]:
        """Gives the last words. Raises InstallError."""
        release = Release(self.checkout, identifier(self.checkout))
        old = self.release_before(release)
        self.first = upgrade.last_well() is None
        if self.takeover and not self.first:
            raise InstallError(
                "This machine is a box already. To put a backup in the place of what it has: systemctl stop "
                "torrentproxy.target; torrentproxy-manage restore ARCHIVE; systemctl start torrentproxy.target"
            )
        if self.checkout.parent == places.RELEASES and old is not None and not release.differs():
            upgrade.refuse_newer_database(release, self.variables())
        self.machine()
        self.session.step(f"Release {release.id}")
        self.session.ensure(release)
        settings = self.settings(release)
        self.prepare(release, settings)
        with ExitStack() as stack:
            if old is not None and not self.session.dry:
                stack.enter_context(upgrade.upgrading(self.session, old, release, settings))
            self.box(release, settings)
        kept = {release.id, *([old.id] if old is not None else [])}
        self.session.ensure(*(Missing(path) for path in superfluous(kept)))
        return self.ending(release, settings)

    def release_before(self, release: Release) -> Release | None:
        """The one that is to be upgraded from; None for the first, and where nothing changes."""
        killed = upgrade.unfinished()
        before = killed.release if killed is not None else upgrade.last_well()
        if before is None or before == release.id or not (places.RELEASES / before).exists():
            return None
        return Release(places.RELEASES / before, before)

    def machine(self) -> None:
        """What the box stands on."""
        session, answers = self.session, self.answers
        box = self.variables()
        session.step("Packages")
        if answers.monitoring:  # before its packages: they start at once, and then listen where we say
            session.ensure(*monitoring.written(answers, box))
        names = [*packages.BOX, *(packages.MONITORING if answers.monitoring else ())]
        session.ensure(packages.AptPackages(names), *packages.clock())
        session.step("Machine")
        session.ensure(*host.host())
        session.ensure(*people.people())
        session.step("PostgreSQL")
        if box.get("DATABASE_URL", places.DATABASE_URL) == places.DATABASE_URL:
            session.ensure(*database.server(database.cluster_version()))
            session.ensure(*database.contents((self.deploy / "prometheus/postgres-role.sql").read_text()))
        else:
            session.notice(
                "DATABASE_URL names a database of your own: its server, roles and contents are yours."
            )

    def variables(self) -> dict[str, str]:
        """Of box.env as it is now, and of what the operator wants in it."""
        text = places.BOX_ENV.read_text() if places.BOX_ENV.exists() else ""
        return {**self.answers.box, **read_variables(text)}

    def settings(self, release: Release) -> configuration.Configuration:
        self.session.step("Configuration")
        restored: dict[str, str] = {}
        if self.takeover and not self.session.dry and not RESTORED.exists():
            restored = self.takeover.configuration(release)
        if not self.session.dry and not restored and not self.variables().get("BACKUP_KEY"):
            admin.to_show("backup_key", "new")
        return configuration.configure(self.session, self.answers, restored)

    def box(self, release: Release, settings: configuration.Configuration) -> None:
        """Everything of ours, from its files to its being well."""
        session, answers = self.session, self.answers
        session.step("Files of the services")
        session.ensure(File(COMMAND, mode=0o755, content=COMMAND_TEXT))
        session.ensure(*units.written(self.deploy), *caddy.caddy(answers, self.deploy))
        if answers.monitoring:
            session.ensure(*monitoring.written(answers, settings.variables))
        session.ensure(units.reloaded(self.deploy))
        self.tables(release, settings)
        session.ensure(release.link)
        admin.first_admin(session, answers.admin, release, settings)
        session.step("Services")
        if answers.monitoring:
            session.ensure(*monitoring.running())
            grafana.grafana(session, answers, self.deploy)
        session.ensure(*units.running(self.deploy))
        session.ensure(Enabled("caddy.service"), caddy.running())
        if not session.dry:
            session.step("Waiting until the box is well")
            try:
                health.wait_until_ready(units.own_units(self.deploy))
            except InstallError as error:
                doctor = release.manage("doctor", variables=settings.variables).stdout
                raise InstallError(f"{error}\nWhat torrentproxy-manage doctor says:\n{doctor}") from error
            upgrade.remember_well(release)
            self.first_backup(release, settings)

    def first_backup(self, release: Release, settings: configuration.Configuration) -> None:
        """Now rather than tonight, and proved: whether it works is known while somebody is looking."""
        if not self.first and any(places.BACKUPS.glob("box-*.age")):
            return
        self.session.step("First backup")
        for command in ("backup", "verify_backup"):
            done = release.manage(command, variables=settings.variables)
            if done.returncode:
                told = done.stderr.strip().splitlines()[-1:]
                self.session.notice(f"`torrentproxy-manage {command}` fails: {' '.join(told)}")
                return

    def prepare(self, release: Release, settings: configuration.Configuration) -> None:
        """What does not disturb a release that is running."""
        self.session.step("Settings and static files")
        if not release.python.exists():  # a dry run
            return
        release.manage(
            "check",
            variables=settings.variables,
            failure=f"The settings cannot be used. Mend them in {places.BOX_ENV}, then run this again:",
        )
        if current() != release.id and not self.session.dry:
            release.publish(settings.variables)

    def tables(self, release: Release, settings: configuration.Configuration) -> None:
        session, variables = self.session, settings.variables
        session.step("Database's tables")
        if session.dry and not release.python.exists():
            session.change(["make the database's tables"], lambda: None)
            return
        if self.takeover:
            session.ensure(*units.stopped())
            self.takeover.database(session, release, settings)
        if upgrade.has_pending_migrations(release, settings):
            session.change(
                ["bring the database up to date"],
                lambda: release.manage(
                    *("migrate", "--no-input"),
                    variables=variables,
                    failure="The database could not be brought up to date:",
                ),
            )

    def ending(self, release: Release, settings: configuration.Configuration) -> list[str]:
        session = self.session
        if session.dry:
            return ["", f"{session.changes or 'No'} changes would be made. Nothing was changed."]
        if session.changes == 0 and not admin.unshown():
            return ["", f"Nothing was changed: all is as it should be (release {release.id})."]
        told = admin.unshown()
        ending = Ending(
            answers=self.answers,
            release=release.id,
            fingerprint=caddy.fingerprint() if self.answers.internal_tls else None,
            certificate_works=self.answers.internal_tls or caddy.has_certificate(self.answers.domain),
            admin_password=told.get("admin_password"),
            backup_key=settings.variables.get("BACKUP_KEY") if "backup_key" in told else None,
            box=settings.variables,
            first=self.first,
        )
        return last_words(ending)
