"""What a server counts, as Prometheus reads it."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from signloom.web.jobs import Job

SECONDS = (0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 3000)


class Metrics:
    """Counters of one server; two servers in one process do not share them."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._jobs = Counter(
            "signloom_jobs", "Jobs that are over.", ["task", "state"], registry=self.registry
        )
        self._seconds = Histogram(
            "signloom_job_seconds",
            "Seconds of work on jobs that are done.",
            ["task"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self._answers = Counter(
            "signloom_refusals", "Answers with a status of 400 or more.", ["status"],
            registry=self.registry,
        )  # fmt: skip
        self._unfinished = Gauge(
            "signloom_unfinished_jobs", "Jobs queued or at work.", registry=self.registry
        )

        self._streams = Gauge(
            "signloom_live_streams", "Live streams that are open.", registry=self.registry
        )

    def over(self, job: Job) -> None:
        self._jobs.labels(job.task, job.state).inc()
        if job.state == "done":
            self._seconds.labels(job.task).observe(job.seconds)

    def refused(self, status: int) -> None:
        self._answers.labels(str(status)).inc()

    def text(self, unfinished: int, streams: int) -> bytes:
        self._unfinished.set(unfinished)
        self._streams.set(streams)
        return generate_latest(self.registry)
