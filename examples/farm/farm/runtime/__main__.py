"""Start the runtime: `python -m farm.runtime`."""

import os

from farm.logs import set_up_logs
from farm.runtime.settings import runtime_settings


def main() -> None:
    """Serve until told to stop."""
    settings = runtime_settings()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", str(settings.model_threads))  # read when numpy is imported
    set_up_logs("runtime", settings.log_level)
    import uvicorn

    from farm.runtime.app import create_app

    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.runtime_port,
        log_config=None,
        timeout_keep_alive=settings.keep_alive,
        timeout_graceful_shutdown=5,
    )


if __name__ == "__main__":
    main()
