"""A server in its own process, and a browser."""

import os
import re
import shutil
import subprocess
import sys
import threading

import pytest

ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/\?token=\S+")


@pytest.fixture(scope="session")
def address(tmp_path_factory):
    """Address of a running explorer, key included."""
    pytest.importorskip("uvicorn")
    stores = str(tmp_path_factory.mktemp("sweeps"))
    command = [sys.executable, "-m", "thalweg", "explore", "--no-browser", "--stores", stores]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    found = ADDRESS.search(server.stderr.readline())
    # Whatever the server says later must not fill the pipe.
    reader = threading.Thread(target=server.stderr.read, daemon=True)
    reader.start()
    yield found.group()
    server.terminate()
    server.wait(20)
    reader.join(20)
    server.stderr.close()


@pytest.fixture(scope="session")
def browser():
    """Chromium; skips where there is none, unless THALWEG_REQUIRE_BROWSER is set."""
    path = os.environ.get("THALWEG_CHROMIUM") or shutil.which("chromium")
    if path is None:
        if os.environ.get("THALWEG_REQUIRE_BROWSER"):
            pytest.fail("no Chromium; install the package chromium")
        pytest.skip("no Chromium; install it, or name it in THALWEG_CHROMIUM")
    playwright = pytest.importorskip("playwright.sync_api")
    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(
            executable_path=path,
            args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", *quiet],
        )
        yield started
        started.close()


@pytest.fixture
def page(browser, address):
    """A page on the explorer; errors of scripts and requests elsewhere fail the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    shown = context.new_page()
    shown.set_default_timeout(60_000)
    trouble = []
    origin = address.split("/?")[0]
    shown.on("pageerror", lambda error: trouble.append(f"script: {error}"))
    shown.on("console", lambda m: trouble.append(m.text) if m.type == "error" else None)
    shown.on(
        "request",
        lambda r: None if r.url.startswith((origin, "data:", "blob:")) else trouble.append(r.url),
    )
    shown.trouble = trouble
    shown.goto(address)
    shown.wait_for_selector("#go")
    yield shown
    context.close()
    assert trouble == []
