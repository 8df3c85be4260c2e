"""One cluster of two processes for all tests of these modules that one process runs."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="package")
def cluster(tmp_path_factory):
    """The address of the scheduler."""
    import dask
    from distributed import LocalCluster

    settings = {
        "temporary_directory": str(tmp_path_factory.mktemp("dask")),
        "distributed.nanny.pre-spawn-environ.DASK_LOGGING__DISTRIBUTED": "critical",
        "distributed.worker.profile.enabled": False,
        "distributed.scheduler.allowed-failures": 1,  # fewer workers to start anew
    }
    with (
        dask.config.set(settings),
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            dashboard_address="127.0.0.1:0",
            scheduler_kwargs={"dashboard": False},
            silence_logs=60,
        ) as running,
    ):
        yield running.scheduler_address
