"""Times the explorer: first paint, first streamed point, many requests at once, cancelled work.

``python benchmarks/explorer.py`` prints one line a figure and exits with 1 if a bound is missed.
Needs the extras ``explorer`` and ``dev``, and Chromium.
"""

import asyncio
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import httpx
from playwright.sync_api import sync_playwright

SMALL = {"source": {"sigma": [3.0, 2.0, 1.0], "dims": [4, 4, 4, 3]}, "start": {"value": 0.01}}
LONG = {"source": {"data": "digits", "widths": [250, 250]}, "rtol": 1e-13}
QUIET = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
]
ROUNDS = 7


def start_server():
    command = [sys.executable, "-m", "thalweg", "explore", "--no-browser"]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    return server, re.search(r"http://\S+", server.stderr.readline()).group()


def paint(address):
    """Return medians of first paint and of the time from the click to the first point, in ms."""
    origin = address.split("/?")[0]
    paints, points = [], []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=QUIET)
        for _ in range(ROUNDS):
            page = browser.new_context().new_page()
            page.goto(address)
            page.wait_for_selector("#go")
            entry = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
            paints.append(page.evaluate(entry))
            page.goto(f"{origin}/#/flow?learn=sigma&sigma=3,2,1&dims=4,4,4,3&value=0.01")
            page.wait_for_selector("#f-sigma")
            page.evaluate("window.began = performance.now(); document.getElementById('go').click()")
            while not page.evaluate("/Integrating: time|Ends at/.test(document.body.innerText)"):
                pass
            points.append(page.evaluate("performance.now() - window.began"))
            page.context.close()
        browser.close()
    return statistics.median(paints), statistics.median(points)


def workers(server):
    """Return the worker processes of the server with the seconds of processor time they used."""
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    ticks = os.sysconf("SC_CLK_TCK")
    used = {}
    for child in children:
        fields = Path(f"/proc/{child}/stat").read_text().rsplit(")", 1)[1].split()
        used[int(child)] = (int(fields[11]) + int(fields[12])) / ticks
    return used


async def many(address):
    """Ask 50 times at once; return statuses and the longest wait of the page meanwhile, in ms."""
    origin, token = address.split("/?token=")
    headers = {"x-thalweg-token": token}
    async with httpx.AsyncClient(base_url=origin, headers=headers, timeout=120) as client:
        waits = []

        async def ask():
            answer = await client.post("/api/run/flow", json=SMALL)
            if answer.status_code != 200:
                return answer.status_code
            ends = any(json.loads(line)["kind"] == "end" for line in answer.text.splitlines())
            return 200 if ends else "unfinished"

        async def watch():
            while True:
                began = time.perf_counter()
                await client.get("/api/options")
                waits.append(1e3 * (time.perf_counter() - began))
                await asyncio.sleep(0.02)

        watcher = asyncio.ensure_future(watch())
        statuses = await asyncio.gather(*(ask() for _ in range(50)))
        watcher.cancel()
        for _ in range(20):
            async with client.stream("POST", "/api/run/flow", json=LONG) as answer:
                await anext(answer.aiter_lines())
    return statuses, max(waits, default=0.0)


def main():
    server, address = start_server()
    try:
        first_paint, first_point = paint(address)
        statuses, wait = asyncio.run(many(address))
        time.sleep(1.0)
        before = workers(server)
        time.sleep(1.0)
        busy = sum(used - before.get(pid, 0.0) for pid, used in workers(server).items())
        left = len(before)
    finally:
        server.terminate()
        server.wait(20)
    done, refused = statuses.count(200), statuses.count(429)
    print(f"first paint {first_paint:.0f} ms, first point after the click {first_point:.0f} ms")
    print(f"50 requests at once: {done} answered, {refused} told to wait")
    print(f"slowest answer of the page meanwhile {wait:.0f} ms")
    print(f"after 20 cancelled computations: {left} workers, {busy:.2f} s of work in a second")
    fine = first_paint < 1000 and first_point < 1500 and done + refused == 50 and busy < 0.1
    return 0 if fine and done >= 10 else 1


if __name__ == "__main__":
    sys.exit(main())
