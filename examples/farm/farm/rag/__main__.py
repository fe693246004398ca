"""Start a worker: `python -m farm.rag ingest` or `python -m farm.rag search`."""

import argparse

from farm.rag.app import INGEST_QUEUE, SEARCH_QUEUE, celery_app


def main() -> None:
    """Work on one queue until told to stop."""
    parser = argparse.ArgumentParser()
    parser.add_argument("queue", choices=(INGEST_QUEUE, SEARCH_QUEUE))
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args()
    celery_app.worker_main(
        [
            *("worker", f"--queues={options.queue}", f"--hostname={options.queue}@%h", f"--concurrency={options.processes}"),
            *("--without-gossip", "--without-mingle", "--without-heartbeat"),
        ]
    )


if __name__ == "__main__":
    main()
