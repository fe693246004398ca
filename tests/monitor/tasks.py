"""A Celery app whose tasks do to event loops what they should not."""

import asyncio
import os
import time
from pathlib import Path

from celery import Celery

from asyncvet.monitor import celery as monitor

FOLDER = Path(os.environ["FOLDER"])
for name in ("queue", "results"):
    (FOLDER / name).mkdir(exist_ok=True)

app = Celery("tasks", broker="filesystem://", backend=f"file://{FOLDER}/results")
app.conf.broker_transport_options = {"data_folder_in": f"{FOLDER}/queue", "data_folder_out": f"{FOLDER}/queue"}
monitor.connect(output=FOLDER / "observations")

EVENT = asyncio.Event()


async def stalling() -> None:
    await asyncio.sleep(0.06)
    time.sleep(0.3)


@app.task
def stalls() -> None:
    asyncio.run(stalling())


@app.task
def starts_loops() -> None:
    asyncio.run(asyncio.sleep(0))


@app.task
def child() -> None:
    time.sleep(0.1)


@app.task
def waits() -> None:
    child.delay().get(timeout=30, disable_sync_subtasks=False)


@app.task
def leaves_open() -> None:
    asyncio.new_event_loop().run_until_complete(asyncio.sleep(0))


@app.task
def crosses_loops() -> None:
    async def main() -> None:
        await asyncio.wait_for(EVENT.wait(), 0.01)

    try:
        asyncio.run(main())
    except TimeoutError:
        return


@app.task
def fine() -> None:
    child.run()
