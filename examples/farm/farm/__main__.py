"""Start the whole farm: `python -m farm`."""

import asyncio
import signal
import sys
from contextlib import suppress

from pydantic import ValidationError

from farm.logs import set_up_logs
from farm.settings import FarmSettings
from farm.supervisor import NotReadyError, running_farm

_READY = """
The farm is ready: {url}
Open it in a browser, add documents, and ask. OpenAI's API is at {runtime}/v1; for example{token}:

    curl {options}{runtime}/v1/chat/completions -H 'Content-Type: application/json' \\
      -d '{{"model": "{model}", "messages": [{{"role": "user", "content": "Why is the sky blue?"}}], "max_tokens": 50}}'

Logs and data are in {data}. Ctrl-C stops everything.
"""


async def run(settings: FarmSettings) -> None:
    """Run the farm until the process is told to stop."""
    serving = asyncio.create_task(_serve(settings))

    def stop() -> None:
        if not serving.cancelling():  # a second Ctrl-C must not cut short what the first one began
            serving.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    with suppress(asyncio.CancelledError):
        await serving


async def _serve(settings: FarmSettings) -> None:
    print("Starting the farm ...", flush=True)
    try:
        async with running_farm(settings, timeout=60):
            print(await asyncio.to_thread(_ready, settings), flush=True)
            await asyncio.Event().wait()
    finally:
        print("Stopped.", flush=True)


def _ready(settings: FarmSettings) -> str:
    has_token = settings.access_token is not None
    return _READY.format(
        url=settings.server_address,
        runtime=settings.runtime_address,
        token=" (with the access token in $FARM_ACCESS_TOKEN)" if has_token else "",
        options='-H "Authorization: Bearer $FARM_ACCESS_TOKEN" ' if has_token else "",
        model=settings.language_model,
        data=settings.data_dir.resolve(),
    )


def main() -> None:
    """Run the farm; a bad setting is told in a sentence."""
    try:
        settings = FarmSettings()
        set_up_logs("supervisor", settings.log_level)
        asyncio.run(run(settings))
    except (ValidationError, NotReadyError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
