"""Where runs go and what is said of them: by options, environment, policy, git and the CI."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from taxcheck.integrations.origin import Origin, origin
from taxcheck.integrations.target import Target, is_loopback, target_of
from taxcheck.model.errors import UsageError
from taxcheck.policy.model import Policy, Service
from taxcheck.policy.read import loads
from tests.integrations.conftest import git

HERE = {"TAXCHECK_TO": "http://127.0.0.1:8740/", "TAXCHECK_PROJECT": "demo"}
NAMED = Policy(service=Service("ncbi", "animals"))


def test_what_is_given_goes_before_the_environment_and_that_before_the_policy():
    assert target_of(environment={}, policy=NAMED, project="demo", dataset="plants") is None
    assert target_of(environment={"TAXCHECK_TO": ""}) is None
    assert target_of(environment=HERE, policy=NAMED) == Target(
        "http://127.0.0.1:8740", "demo", "animals"
    )
    assert target_of("https://t.example.org/taxcheck", dataset="plants", environment=HERE) == (
        Target("https://t.example.org/taxcheck", "demo", "plants")
    )


@pytest.mark.parametrize(("given", "said"), [
    ({"to": "taxcheck.example.org"}, "is no address such as"),
    ({"to": "ftp://example.org"}, "is no address such as"),
    ({"to": "http://[::1"}, "is no address such as"),
    ({"to": "http://exa mple.org"}, "is no address such as"),
    ({"to": "http://example.org:99999"}, "is no address such as"),
    ({"to": "https://ada:secret@example.org"}, "holds no user and no password"),
    ({"to": "https://example.org/?x=1"}, "ends before any"),
    ({"project": ""}, "give `project`, set TAXCHECK_PROJECT"),
    ({"dataset": None}, "give `dataset`, set TAXCHECK_DATASET"),
    ({"dataset": "a/b"}, "a name has letters"),
    ({"dataset": "-"}, "a name has letters"),
    ({"token": "a\nX-Evil: 1"}, "is no token"),
    ({"to": "http://example.org", "token": "tck_1"}, "others could read the token"),
])  # fmt: skip
def test_what_cannot_be_is_one_line(given: dict[str, str], said: str):
    stated = {"to": "https://example.org", "project": "demo", "dataset": "animals", **given}
    with pytest.raises(UsageError, match=said) as refused:
        target_of(**stated, environment={})
    assert "secret" not in str(refused.value)


def test_a_token_over_plain_http_is_for_this_machine_or_asked_for():
    named = {"project": "p", "dataset": "d", "token": "tck_1"}
    for to in ("http://localhost:8740", "http://127.8.8.8", "http://[::1]:8740"):
        assert target_of(to, **named, environment={}) is not None
    loud = {"TAXCHECK_INSECURE": "1"}
    assert target_of("http://taxcheck:8740", **named, environment=loud) is not None
    assert not any(map(is_loopback, ("localhost.example.org", "127.0.0.1.example.org", "10.0.0.1")))


def test_a_policy_names_a_dataset_and_never_where_the_token_goes():
    text = '[service]\nproject = "ncbi"\ndataset = "animals"\n'
    assert loads(text, ()).service == Service("ncbi", "animals")
    for key, said in (
        ("to", "sent elsewhere"),
        ("token", "TAXCHECK_TOKEN"),
        ("projekt", "did you"),
    ):
        with pytest.raises(UsageError, match=said):
            loads(f'[service]\n{key} = "http://evil.example.org"\n', ())
    with pytest.raises(UsageError, match="must be a text"):
        loads("[service]\nproject = 3\n", ())


GITHUB = {
    "GITHUB_SHA": "c0ffee", "GITHUB_REF_NAME": "5/merge", "GITHUB_HEAD_REF": "mend",
    "GITHUB_ACTOR": "ada", "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "house/data", "GITHUB_RUN_ID": "77",
}  # fmt: skip
GITLAB = {
    "CI_COMMIT_SHA": "c0ffee", "CI_COMMIT_REF_NAME": "mend", "GITLAB_USER_LOGIN": "ada",
    "CI_JOB_URL": "https://gitlab-ci-token:secret@gitlab.example.org:8443/house/data/-/jobs/77?t=secret#secret",
}  # fmt: skip
JENKINS = {
    "GIT_COMMIT": "c0ffee", "BRANCH_NAME": "PR-5", "CHANGE_BRANCH": "mend", "CHANGE_AUTHOR": "ada",
    "BUILD_URL": "http://jenkins.example.org/job/data/77/",
}  # fmt: skip
LINKS = {
    "github": "https://github.com/house/data/actions/runs/77",
    "gitlab": "https://gitlab.example.org:8443/house/data/-/jobs/77",
    "jenkins": "http://jenkins.example.org/job/data/77/",
}


@pytest.mark.parametrize("ci", [GITHUB, GITLAB, JENKINS], ids=LINKS)
def test_a_ci_tells_what_a_run_is_of(ci, request: pytest.FixtureRequest):
    link = LINKS[request.node.callspec.id]
    assert origin(ci) == Origin("c0ffee", "mend", "ada", link)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    git(tmp_path, "init", "--quiet", "--initial-branch", "mend/it")
    git(tmp_path, "config", "user.name", "Ada Lovelace")
    git(tmp_path, "commit", "--quiet", "--allow-empty", "--message", "first")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_without_one_git_tells(repository: Path):
    commit = git(repository, "rev-parse", "HEAD").strip()
    assert origin({}) == Origin(commit, "mend/it", "Ada Lovelace")
    git(repository, "checkout", "--quiet", "--detach")
    assert origin({}).branch is None


def test_what_nobody_tells_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    assert origin({}) == Origin()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert origin({}) == Origin()


def test_what_a_service_would_refuse_the_run_for_is_left_out():
    told = origin({
        "GITHUB_SHA": "c" * 65, "GITHUB_REF_NAME": "b" * 256, "GITHUB_ACTOR": "a\u202eb\n",
        "BUILD_URL": "javascript:alert(1)",
    })  # fmt: skip
    assert told == Origin()


def test_a_git_that_hangs_holds_nothing_up(monkeypatch: pytest.MonkeyPatch):
    def hangs(*_: object, timeout: float, **__: object) -> None:
        raise subprocess.TimeoutExpired("git", timeout)

    monkeypatch.setattr(subprocess, "run", hangs)
    assert origin({}) == Origin()
