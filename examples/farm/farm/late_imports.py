"""What libraries import only when they first use it: imported here, at the start, since later it would stop the event loop."""

import encodings.idna  # noqa: F401 - for the first address that is listened on or connected to

import anyio._backends._asyncio  # for the first streamed answer, and for httpx's first request
import anyio._core._fileio  # noqa: F401 - for the first file that is sent
