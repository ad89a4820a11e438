"""What of the installer can be told without a machine. tests/machine/drill_converge.py has the rest."""

import errno
import os
import subprocess
from pathlib import Path

import pytest

from deploy.converge import __main__ as program
from deploy.converge import caddy, database, environment_files, places, release, systemd
from deploy.converge.answers import Answers, as_toml, read_answers, told
from deploy.converge.commands import InstallError, run
from deploy.converge.configuration import SECRETS, engine_environment, wanted_settings
from deploy.converge.environment_files import mark, merge, read_variables
from deploy.converge.files import Directory, File, Kept, Link, Missing, Owned
from deploy.converge.install import COMMAND_TEXT
from deploy.converge.run import Resource, Run
from deploy.converge.words import Ending, last_words

GIB = 1024**3
ROOT = Path(__file__).resolve().parents[1]
ANSWERS = Answers(domain="box.example.org", email="you@example.org")


def test_the_installer_runs_no_code_that_lies_where_its_operator_happens_to_be(tmp_path: Path) -> None:
    (tmp_path / "argparse.py").write_text("raise SystemExit('not ours')\n")

    assert run(["bash", ROOT / "deploy/install.sh", "--help"], cwd=tmp_path).returncode == 0


def test_a_file_that_an_option_names_is_looked_for_where_its_operator_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert program.place("box.age") == str(tmp_path / "box.age")
    assert program.place("s3://bucket/box.age") == "s3://bucket/box.age"


def merged(existing: str, wanted: dict[str, str], written: dict[str, str]) -> environment_files.Merged:
    return merge(existing, wanted, {name: mark(value) for name, value in written.items()}, heading="# ours\n")


def test_a_new_file_of_variables_has_its_heading_and_all_that_is_wanted() -> None:
    done = merged("", {"A": "1", "B": "two words"}, {})

    assert done.text == '# ours\nA=1\nB="two words"\n'
    assert done.added == ["A", "B"]


def test_a_value_that_we_wrote_follows_what_is_wanted_now() -> None:
    done = merged("A=1\n", {"A": "2"}, {"A": "1"})

    assert (done.text, done.updated, done.kept) == ("A=2\n", ["A"], [])


def test_a_value_that_the_operator_changed_stays() -> None:
    done = merged("# mine\nA=7\n", {"A": "2"}, {"A": "1"})

    assert (done.text, done.updated, done.kept) == ("# mine\nA=7\n", [], ["A"])


def test_a_line_that_the_operator_took_out_is_not_put_back() -> None:
    done = merged("B=1\n", {"A": "1", "B": "1"}, {"A": "1", "B": "1"})

    assert (done.text, done.kept) == ("B=1\n", ["A"])


def test_lines_that_are_none_of_ours_stay_where_they_are() -> None:
    text = "# a comment\nMINE=x\n\nA=1\n# another\n"

    assert merged(text, {"A": "1"}, {"A": "1"}).text == text


def test_what_was_written_before_a_kill_is_remembered_by_the_next_run() -> None:
    assert merged("A=1\n", {"A": "1"}, {}).written == {"A": mark("1")}


@pytest.mark.parametrize("value", ["", "plain", "with space", 'quotes "and" $dollars `ticks` \\', "a#b;c"])
def test_a_written_value_is_read_as_it_was(value: str) -> None:
    assert read_variables(environment_files.line_of("A", value)) == {"A": value}


def test_variables_are_read_as_people_write_them() -> None:
    assert read_variables("# A=0\nA='x y'\n B = z\nexport C=1\nnonsense\n") == {"A": "x y", "B": "z"}


def test_what_the_operator_asks_for_beats_what_a_server_gets_by_itself() -> None:
    answers = Answers(domain="box.example.org", box={"TORRENT_PORT": "6881"})

    assert wanted_settings(answers, {})["TORRENT_PORT"] == "6881"


def test_qbittorrents_process_is_told_none_of_the_boxs_secrets_but_its_own_password() -> None:
    made = {name: f"secret-of-{name}" for name in SECRETS}
    told_to_it = read_variables(engine_environment(wanted_settings(ANSWERS, made)))

    assert {name for name in SECRETS if f"secret-of-{name}" in told_to_it.values()} == {
        "QBITTORRENT_PASSWORD"
    }
    assert "DATABASE_URL" not in told_to_it


def test_answers_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    answers = Answers(domain="203.0.113.7", internal_tls=True, box={"OCPUS": "4", "DISK_FLOOR": "5 GiB"})
    (tmp_path / "answers.toml").write_text(as_toml(answers))

    assert read_answers(tmp_path / "answers.toml") == answers


@pytest.mark.parametrize("value", ["B\u00f6x \U0001f4e6", 'quotes " and \\ and $', "tab\tand\x7f"])
def test_a_setting_in_the_answers_may_have_any_signs(tmp_path: Path, value: str) -> None:
    answers = Answers(domain="box.example.org", email="you@example.org", box={"SITE_NAME": value})
    (tmp_path / "answers.toml").write_text(as_toml(answers))

    assert read_answers(tmp_path / "answers.toml") == answers


@pytest.mark.parametrize("value", ["one\nLD_PRELOAD=two", "one\n", "one\u2028two"])
def test_a_setting_of_several_lines_is_refused(value: str) -> None:
    answers = Answers(domain="box.example.org", email="you@example.org", box={"SITE_NAME": value})

    assert answers.problems() == ["The value of SITE_NAME has several lines; a setting has one."]


def test_an_argument_beats_an_answer_and_what_is_not_said_stays() -> None:
    known = told(ANSWERS, {"domain": "new.example.org", "email": None, "dry_run": True})

    assert (known.domain, known.email) == ("new.example.org", "you@example.org")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("domian = 'x'", "domian is unknown"),
        ("internal_tls = 'yes'", "true or false"),
        ("domain = ", "cannot be read"),
    ],
)
def test_answers_that_cannot_be_used_are_refused_in_words(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "answers.toml").write_text(text)

    with pytest.raises(InstallError, match=complaint):
        read_answers(tmp_path / "answers.toml")


@pytest.mark.parametrize(
    "answers",
    [
        Answers(email="you@example.org"),
        Answers(domain="box.example.org"),
        Answers(domain="203.0.113.7", email="you@example.org"),
        Answers(domain="no spaces.example.org", email="you@example.org"),
        Answers(domain="box.example.org", email="you@example.org", admin="Two Words"),
        Answers(domain="box.example.org", email="you@example.org", grafana_repository="https://example.org"),
    ],
)
def test_what_is_missing_or_wrong_in_answers_is_said(answers: Answers) -> None:
    assert len(answers.problems()) == 1


@pytest.mark.parametrize("answers", [ANSWERS, Answers(domain="203.0.113.7", internal_tls=True)])
def test_enough_answers_are_enough(answers: Answers) -> None:
    assert answers.problems() == []


def test_the_same_code_is_the_same_release_whatever_lies_beside_it(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app/code.py").write_text("x = 1\n")
    before = release.identifier(tmp_path)
    for leftover in (".git", "venv", "app/__pycache__"):
        (tmp_path / leftover).mkdir()
        (tmp_path / leftover / "file").write_text("beside")
    (tmp_path / release.RECORD).write_text("{}")
    (tmp_path / ".env").write_text("SECRET_KEY=x\n")

    assert release.identifier(tmp_path) == before


def test_code_that_differs_or_moved_is_another_release(tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text("x = 1\n")
    before = release.identifier(tmp_path)
    (tmp_path / "code.py").rename(tmp_path / "other.py")
    moved = release.identifier(tmp_path)
    (tmp_path / "other.py").write_text("x = 2\n")

    assert len({before, moved, release.identifier(tmp_path)}) == 3


@pytest.mark.parametrize(("memory", "megabytes"), [(12 * GIB, 3072), (1 * GIB, 128), (64 * GIB, 4096)])
def test_postgresql_gets_a_share_of_the_memory_within_bounds(memory: int, megabytes: int) -> None:
    assert f"shared_buffers = {megabytes}MB\n" in database.memory_settings(memory)


def test_programs_of_postgresql_find_a_database_by_variables() -> None:
    url = "postgresql://me:p%40ss@db.example.org:6432/box?sslmode=require"

    assert database.libpq(url) == {
        "PGHOST": "db.example.org",
        "PGPORT": "6432",
        "PGUSER": "me",
        "PGPASSWORD": "p@ss",
        "PGDATABASE": "box",
        "PGSSLMODE": "require",
    }


def test_moments_of_systemd_are_read_and_none_is_none() -> None:
    assert systemd.seconds("Mon 2026-11-23 09:08:14.250000 UTC") == 1795424894.25
    assert systemd.seconds("") is None


def test_a_certificate_of_its_own_is_named_to_caddy_and_found_without_a_name() -> None:
    told_to_caddy = caddy.variables(Answers(domain="203.0.113.7", internal_tls=True))

    assert told_to_caddy["CADDY_TLS"] == f"tls {caddy.CERTIFICATE} {caddy.KEY}"
    assert told_to_caddy["CADDY_OPTIONS"] == "default_sni 203.0.113.7"


def test_what_a_program_prints_is_in_the_error_unless_it_is_secret() -> None:
    for secret in (False, True):
        with pytest.raises(InstallError) as told_of:
            run(["sh", "-c", "echo word >&2; exit 3"], failure="It failed:", secret=secret)
        assert ("word" in str(told_of.value)) is not secret


def test_a_program_that_is_missing_is_a_failure_in_words() -> None:
    with pytest.raises(InstallError, match="There is no program no-such-program"):
        run(["no-such-program"], failure="It failed:")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to root")
class TestResources:
    def test_what_was_made_differs_no_more(self, tmp_path: Path) -> None:
        resources: list[Resource] = [
            File(tmp_path / "file", content="x", mode=0o600),
            Link(tmp_path / "link", "file"),
        ]
        session = Run()

        assert session.ensure(*resources)
        assert not session.ensure(*resources)
        assert session.changes == 2
        assert (tmp_path / "link").read_text() == "x"

    def test_a_dry_run_makes_nothing(self, tmp_path: Path) -> None:
        session = Run(dry=True)

        assert session.ensure(File(tmp_path / "file", content="x"))
        assert list(tmp_path.iterdir()) == []

    def test_changes_of_files_are_taken_back_in_reverse(self, tmp_path: Path) -> None:
        changed, new, gone = (tmp_path / name for name in ("changed", "new", "gone"))
        changed.write_text("before")
        gone.write_text("kept")
        gone.chmod(0o600)
        session = Run()
        session.ensure(File(changed, content="after"), File(new, content="x"), Missing(gone))

        for takes_back in reversed(session.undo):
            takes_back()

        assert (changed.read_text(), new.exists(), gone.read_text()) == ("before", False, "kept")
        assert gone.stat().st_mode & 0o777 == 0o600


def test_passwords_and_keys_are_told_only_where_they_are_new() -> None:
    again = "\n".join(last_words(Ending(ANSWERS, "0123")))
    first = "\n".join(
        last_words(Ending(ANSWERS, "0123", admin_password="pass-word", backup_key="AGE-KEY", first=True))
    )

    assert "https://box.example.org" in again
    assert "Password" not in again
    assert "pass-word" in first
    assert "AGE-KEY" in first


def test_the_command_of_the_box_imports_nothing_from_where_root_stands(tmp_path: Path) -> None:
    for name in (
        "deploy/__init__.py",
        "deploy/converge/__init__.py",
        "deploy/converge/manage.py",
        "json.py",
        "pwd.py",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("open('imported', 'w')\n")
    command = tmp_path / "torrentproxy-manage"
    command.write_text(COMMAND_TEXT.replace(str(places.CURRENT), str(ROOT)))

    subprocess.run(["/bin/sh", command, "help"], cwd=tmp_path, capture_output=True, timeout=60, check=False)

    assert not (tmp_path / "imported").exists()


@pytest.mark.parametrize("kind", [Kept, Owned])
@pytest.mark.parametrize("there", [True, False])
def test_a_link_in_the_place_of_a_file_is_not_followed(
    tmp_path: Path, kind: type[Owned], there: bool
) -> None:
    target = tmp_path / "roots"
    if there:
        target.write_text("secret\n")
        target.chmod(0o600)
    (tmp_path / "box.log").symlink_to(target)
    resource = kind(tmp_path / "box.log", mode=0o644)

    assert resource.differs()
    with pytest.raises(InstallError, match="symbolic link"):
        resource.apply()
    assert target.exists() == there
    assert not there or target.stat().st_mode & 0o777 == 0o600


def test_a_directory_on_another_volume_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "volume").mkdir(mode=0o700)
    (tmp_path / "downloads").symlink_to("volume")
    resource = Directory(tmp_path / "downloads", mode=0o750)

    resource.apply()

    assert resource.differs() == []
    assert (tmp_path / "volume").stat().st_mode & 0o777 == 0o750


def test_what_a_killed_run_left_beside_a_file_is_gone_after_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", killed)
        patch.setattr(Path, "unlink", lambda *_, **__: None)  # who is killed tidies nothing up
        with pytest.raises(SystemExit):
            File(tmp_path / "box.env", mode=0o600, content="half of it").apply()
    assert [path.name for path in tmp_path.iterdir()] != []

    File(tmp_path / "box.env", mode=0o600, content="A=1\n").apply()

    assert [path.name for path in tmp_path.iterdir()] == ["box.env"]
    assert (tmp_path / "box.env").stat().st_mode & 0o777 == 0o600


def test_a_full_disk_is_told_as_that_and_not_as_a_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(_: object) -> Answers:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("sys.argv", ["install.sh", "--dry-run"])
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "umask", lambda _: 0)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    monkeypatch.setattr(places, "LOCK", tmp_path / "lock")
    monkeypatch.setattr(program, "answered", full)

    assert program.main() == 1
    told_last = capsys.readouterr().err
    assert "No space left on device" in told_last
    assert "mistake" not in told_last
