"""Start the server: `python -m farm.server`."""

import uvicorn

from farm.logs import set_up_logs
from farm.server.app import create_app
from farm.server.settings import server_settings


def main() -> None:
    """Serve until told to stop."""
    settings = server_settings()
    set_up_logs("server", settings.log_level)
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.server_port,
        log_config=None,
        timeout_keep_alive=settings.keep_alive,
        timeout_graceful_shutdown=5,
    )


if __name__ == "__main__":
    main()
