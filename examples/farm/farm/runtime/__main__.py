"""Start the runtime: `python -m farm.runtime`."""

import os

from farm.logs import set_up_logs
from farm.runtime.settings import runtime_settings


def main() -> None:
    """Serve until told to stop."""
    settings = runtime_settings()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", str(settings.model_threads))  # read when numpy is imported
    set_up_logs("runtime", settings.log_level)
    from farm.runtime.app import create_app
    from farm.serving import serve

    serve(create_app(settings), settings.runtime_port, settings)


if __name__ == "__main__":
    main()
