"""Start the server: `python -m farm.server`."""

from farm.logs import set_up_logs
from farm.server.app import create_app
from farm.server.settings import server_settings
from farm.serving import serve


def main() -> None:
    """Serve until told to stop."""
    settings = server_settings()
    set_up_logs("server", settings.log_level)
    serve(create_app(settings), settings.server_port, settings)


if __name__ == "__main__":
    main()
