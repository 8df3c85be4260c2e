"""Values of every page, made by hand of the reports that the renderers are tested on."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from taxcheck.commands.compare.compare import beside
from taxcheck.model.finding import Outcome
from taxcheck.model.report import Report
from taxcheck.model.rule import Document
from taxcheck.service.pages import values as v
from tests.reports.sample import REPORTS

NOW = 1_795_000_000_000
DAY = 86_400_000
FRAME = v.Frame(
    now=NOW,
    version="0.2",
    person="rosa",
    scopes=frozenset(("push", "read", "run", "admin")),
    leaves=True,
)
RUNS = 40


def marks() -> tuple[v.Mark, ...]:
    """Forty runs: passes, then one cause, another, a repair, and a run that judged nothing."""
    return tuple(_marks())


def _marks() -> Iterator[v.Mark]:
    for at in range(RUNS):
        verdict, cause = "pass", None
        if 12 <= at < 18:
            verdict, cause = "fail", "index_range_as_taxids"
        elif 18 <= at < 24:
            verdict, cause = "warn", "closure_cut_short"
        elif at == 30:
            verdict = "skipped"
        elif at >= 36:
            verdict, cause = "fail", "idx_shifted"
        who = ("main", "taxdump-2026-11", None)[at % 3]
        yield v.Mark(f"run-{at:03}", verdict, NOW - (RUNS - at) * DAY, cause, who)


def line(name: str = "animals", project: str = "ncbi", **other: object) -> v.DatasetLine:
    known = {
        "verdict": "fail",
        "headline": "28,610 of 110,478 nodes (25.9 %) will never be trained.",
        "cause": "idx_shifted",
        "newest": "run-039",
        "created": NOW - DAY,
        "failing_since": NOW - 4 * DAY,
        "runs": 212,
        "recent": marks(),
    }
    return v.DatasetLine(project=project, name=name, **(known | other))


def sound(name: str, verdict: str | None = "pass", cells: int = 50) -> v.DatasetLine:
    recent = tuple(replace(m, verdict=verdict or "skipped", cause=None) for m in marks())[-cells:]
    return line(
        name, verdict=verdict, cause=None, failing_since=None, headline="The data is sound.",
        recent=recent, created=NOW - 3 * 3_600_000,
    )  # fmt: skip


def home() -> v.Home:
    failing = line(), line("plants", failing_since=NOW - 400 * DAY), line("fungi", cause="MAP004")
    groups = (v.Failing("idx_shifted", failing[:2]), v.Failing("MAP004", failing[2:]))
    rest = (sound("echinoderms"), sound("wordnet", "warn"), sound("birds", "skipped", 3))
    none = v.DatasetLine(project="demo", name="empty", verdict=None)
    return v.Home(FRAME, groups, (*failing, *rest, none))


def run_line(report: Report, id: str = "run-039", **other: object) -> v.RunLine:
    causes = [cause.name for cause in report.causes]
    known = {
        "title": report.title,
        "verdict": report.verdict.value,
        "headline": report.headline,
        "cause": causes[0] if causes else None,
        "created": NOW - DAY,
        "received": NOW - DAY + 4_000,
        "branch": "taxdump-2026-11",
        "person": "rosa",
        "commit": "6cbf1b8a3a4b4c1f0dd5cb7e3d86cc0ae1f3b1a2",
        "link": "https://ci.example/jobs/81",
        "job": "9d0f",
        "pinned": True,
    }
    return v.RunLine(id=id, project="ncbi", dataset="animals", **(known | other))


def dataset() -> v.Dataset:
    incident, shown = REPORTS["incident"](), marks()
    fails = {"PAIR014", "PAIR003"}
    grid = tuple(
        v.GridRow(
            r.id,
            r.name,
            (*(m.verdict if r.id in fails else "pass" for m in shown[:-1]), r.outcome.value),
            r.count,
            r.total,
        )
        for r in incident.results
    )

    def trend(name: str, label: str, of: list[float], baseline: float | None) -> v.Trend:
        points = (
            v.Point(m.id, m.created, value, m.verdict, m.cause, m.who)
            for m, value in zip(shown, of, strict=False)
        )
        return v.Trend(name, label, tuple(points), baseline)

    share = {"fail": 0.741, "warn": 0.93}
    covered = [share.get(m.verdict, 1.0) - at * 1e-4 for at, m in enumerate(shown)]
    trends = (
        trend("pairs/covered", "nodes in a pair, share", covered, 1.0),
        trend("score/mean rank", "mean rank", [3.9 + (at % 7) / 10 for at in range(RUNS)], 3.98),
        trend("rows", "rows of the mapping", [110_478.0] * RUNS, None),
        trend("once", "a number of one run", [5.0], None),
    )
    due = (
        v.Due("PAIR009", "rosa", NOW - 10 * DAY, "expired"),
        v.Due("MAP004", "ines", NOW + 30 * DAY, "waived"),
    )
    return v.Dataset(
        frame=FRAME,
        line=line(),
        runs=shown,
        grid=grid,
        trends=trends,
        numbers=tuple((t.name, t.label) for t in trends),
        waivers=due,
        baseline=run_line(REPORTS["healthy"](), "run-029"),
        may_admin=True,
    )


def run(name: str = "audited incident", before: str | None = "audited healthy") -> v.Run:
    report = REPORTS[name]()
    old = REPORTS[before]() if before else None
    return v.Run(
        frame=FRAME,
        line=run_line(report),
        report=report,
        baseline=run_line(old, "run-029") if old else None,
        changed=beside(old, report, ("run-029", "run-039")) if old else None,
        others=marks()[:-1],
        notes=(v.Note("ines", "The columns were exchanged in the\nexport of Tuesday.", NOW),),
        may_push=True,
        may_admin=True,
    )


def compare(before: str = "audited incident", after: str = "audited healthy", *,
            different: bool = False) -> v.Compare:  # fmt: skip
    old, new = REPORTS[before](), REPORTS[after]()
    other = {"project": "ncbi", "dataset": "plants"} if different else {}
    return v.Compare(
        frame=FRAME,
        before="run-029",
        after="run-039",
        runs=(run_line(old, "run-029"), replace(run_line(new), **other)),
        comparison=beside(old, new, ("run-029", "run-039"), different=different),
    )


def rule(document: Document | None = None) -> v.Firing:
    found = REPORTS["incident"]().results
    result = next(one for one in found if one.outcome is Outcome.FAIL)
    fires = (
        v.Fires("ncbi", "animals", "run-039", "fail", NOW - DAY, result.count, result.share),
        v.Fires("demo", "plants", "run-139", "warn", NOW - 2 * DAY, 3, 0.0075),
    )
    return v.Firing(
        frame=FRAME, id=result.id, name=result.name, kind="rule", fires=fires,
        document=document or result.document,
    )  # fmt: skip


def job_line(state: str = "running", **other: object) -> v.JobLine:
    known = {
        "project": "ncbi",
        "dataset": "animals",
        "kind": "gate",
        "created": NOW - 600_000,
        "started": NOW - 500_000,
        "person": "rosa",
        "attempts": 1,
    }
    return v.JobLine(id=f"{state}-0f3c", state=state, **(known | other))


def jobs() -> v.Jobs:
    return v.Jobs(
        frame=FRAME,
        jobs=(
            job_line(stuck="its worker has said nothing for", silent=300_000),
            job_line(stage="reading pairs", done=12_000_000, whole=60_000_000),
            job_line("queued", started=None),
            job_line("failed", ended=NOW, line="mapping.tsv: cannot be read: no such file"),
            job_line("done", ended=NOW, run="run-039"),
        ),
        more="17",
        may_run=True,
    )


def job() -> v.Job:
    return v.Job(
        frame=FRAME,
        job=job_line("failed", ended=NOW - 480_000, line="pairs.parquet: holds no column of idx"),
        asked=(("kind", "gate"), ("mapping", "upload:3f"), ("pairs", "/data/pairs.parquet")),
        log="reading mapping.tsv\nreading pairs.parquet\n",
        exit_code=3,
        may_run=True,
    )


def going() -> v.Job:
    line = job_line(stage="reading pairs", done=12_000_000, whole=60_000_000)
    return replace(job(), job=line, exit_code=None)


def new_job() -> v.NewJob:
    return v.NewJob(
        frame=FRAME,
        prefixes=("/data/releases",),
        uploads=(("3fa2", "mapping.tsv, 4.1 MB"),),
        typed={"kind": "audit", "project": "ncbi", "mapping": "/etc/passwd"},
        line="'/etc/passwd': is in none of the folders that this server lets jobs read",
    )


def admin() -> v.Admin:
    return v.Admin(
        frame=replace(FRAME, said="The token was made."),
        disk=(("database", 402_000_000), ("reports", 31_000_000), ("uploads", 0)),
        free=81_000_000_000,
        counts=(("runs", 100_000), ("datasets", 200)),
        keep_days=400,
        keep_runs=100,
        tokens=(
            v.TokenLine(1, "ci", ("push",), "ncbi", NOW - 90 * DAY, None, NOW - DAY, None),
            v.TokenLine(2, "ines", ("read", "run"), None, NOW - DAY, NOW + DAY, None, None),
            v.TokenLine(3, "old", ("admin",), None, NOW - DAY, NOW - 9, None, NOW - DAY),
        ),
        hooks=(
            v.HookLine(1, "ncbi", "https://hooks.example/a", "slack", ("failure",), False, 2,
                       "hooks.example answered 500"),
            v.HookLine(2, "ncbi", "https://hooks.example/b", "json", ("recovery",), True),
        ),
        log=(v.LogLine(NOW - DAY, "rosa", "pin run", "run-039 of ncbi/animals"),),
        made="tck_" + "a1B2" * 10,
        line="",
    )  # fmt: skip


def login() -> v.Login:
    return v.Login(v.Frame(now=NOW, version="0.2"), "/ncbi", "this token is not known here")


def failure() -> v.Failure:
    return v.Failure(FRAME, 404, "run 'x': there is none", "5e0c")


def badge() -> v.Badge:
    return v.Badge("animals", "fail", "fail: index_range_as_taxids")


def feed() -> v.Feed:
    lines = (run_line(REPORTS["incident"]()), run_line(REPORTS["healthy"](), "run-038"))
    return v.Feed("https://checks.example", "ncbi", "animals", lines, NOW - DAY)


def nobody() -> v.Home:
    """The first page of a new server."""
    return v.Home(v.Frame(now=NOW, version="0.2"), (), ())


def reference() -> v.Reference:
    field = v.Field("run", "text", said="Its id.")
    one = v.Operation(
        method="PUT", path="/api/v1/runs/{id}", said="Push a run.", scope="push",
        parameters=(field, v.Field("project", "text or null", needed=False)), body=(field,),
        sent="The report.", answers=(("201", "Kept. It is kept."),),
    )  # fmt: skip
    open_ = v.Operation(method="GET", path="/healthz", said="Alive.", scope=None)
    chapters = (v.Chapter("runs", (one,)), v.Chapter("health", (open_,)))
    return v.Reference(FRAME, "What there is.", chapters, (v.Described("Kept", "It.", (field,)),))


VALUES = {  # name -> renderer and value
    "home": ("home", home),
    "home of nobody": ("home", nobody),
    "dataset": ("dataset", dataset),
    "run": ("run", run),
    "compare": ("compare", compare),
    "compare different": ("compare", lambda: compare(different=True)),
    "compare nothing": ("compare", lambda: v.Compare(frame=FRAME, line="run 'x': there is none")),
    "rule": ("rule", rule),
    "jobs": ("jobs", jobs),
    "job": ("job", job),
    "job that runs": ("job", going),
    "new job": ("new_job", new_job),
    "admin": ("admin", admin),
    "login": ("login", login),
    "failure": ("failure", failure),
    "reference": ("reference", reference),
    "badge": ("badge", badge),
    "feed": ("feed", feed),
}
