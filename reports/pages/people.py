"""What people do here: jobs, administration, signing in; and what went wrong."""

from __future__ import annotations

from taxcheck.service.pages.values import Admin, Failure, Job, Jobs, Login, NewJob, Reference

from .frame import filled


def jobs(value: Jobs) -> str:
    """Stuck ones first."""
    return filled("jobs.html", value=value)


def job(value: Job) -> str:
    """One job: how far it is, its log, the line that a failure left."""
    return filled("job.html", value=value)


def new_job(value: NewJob) -> str:
    """The form that starts one."""
    return filled("new_job.html", value=value)


def admin(value: Admin) -> str:
    """Disk, retention, tokens, webhooks, audit log."""
    return filled("admin.html", value=value)


def login(value: Login) -> str:
    """The form that makes a session of a token."""
    return filled("login.html", value=value)


def failure(value: Failure) -> str:
    """One sentence."""
    return filled("failure.html", value=value)


def reference(value: Reference) -> str:
    """What can be asked for by programs."""
    return filled("reference.html", value=value)
