"""Who is let in, and what is refused before anything is read."""

import asyncio
import concurrent.futures
import contextlib

import pytest

pytest.importorskip("starlette")
httpx = pytest.importorskip("httpx")

from thalweg._core import DataError  # noqa: E402
from thalweg.explorer._app import create_app  # noqa: E402
from thalweg.explorer._limits import Limits  # noqa: E402
from thalweg.explorer._shelf import Shelf  # noqa: E402

KEY = "k" * 32
HOME = "http://127.0.0.1:8000"


def alone(work):
    """Run in a thread: the browser of other tests has a loop in this one."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


@contextlib.asynccontextmanager
async def visitor(base=HOME, **options):
    app = create_app(token=KEY, limits=options.pop("limits", Limits(body=10_000)))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url=base, **options) as client:
        yield client


def ask(method, path, *, base=HOME, limits=None, **options):
    async def asking():
        extra = {} if limits is None else {"limits": limits}
        async with visitor(base, **extra) as client:
            return await client.request(method, path, **options)

    return alone(asking())


KNOWN = {"x-thalweg-token": KEY}


def test_token_in_the_address_becomes_a_cookie_that_scripts_and_other_sites_never_see():
    answer = ask("GET", f"/?token={KEY}")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/"
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    name, value = cookie.split(";")[0].split("=")
    assert ask("GET", "/", headers={"cookie": f"{name}={value}"}).status_code == 200


@pytest.mark.parametrize(
    "headers", [{}, {"x-thalweg-token": "wrong"}, {"cookie": "thalweg_8000=wrong"}]
)
@pytest.mark.parametrize("path", ["/", "/api/options", "/static/app.js", "/?token=wrong"])
def test_without_the_key_nothing_is_answered(path, headers):
    answer = ask("GET", path, headers=headers)
    assert answer.status_code == 403
    assert "thalweg explore" in answer.text


def test_with_the_key_it_is():
    assert ask("GET", "/api/options", headers=KNOWN).json()["datasets"]


@pytest.mark.parametrize(
    "host", ["evil.com", "evil.com:8000", "localhost.evil.com", "127.0.0.1.evil.com", "", "[::2]"]
)
def test_dns_rebinding_is_refused(host):
    assert ask("GET", "/", headers={**KNOWN, "host": host}).status_code == 403


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "localhost", "[::1]:8000"])
def test_own_names_are_accepted(host):
    assert ask("GET", "/api/options", headers={**KNOWN, "host": host}).status_code == 200


def test_two_hosts_are_refused():
    headers = [("host", "127.0.0.1"), ("host", "evil.com"), *KNOWN.items()]
    assert ask("GET", "/", headers=headers).status_code == 403


@pytest.mark.parametrize(
    "origin", ["http://evil.com", "null", "https://127.0.0.1:8000", "http://127.0.0.1:9"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_other_origins_are_refused_even_with_the_key(method, origin):
    path = "/api/run/flow" if method == "POST" else "/api/options"
    assert ask(method, path, headers={**KNOWN, "origin": origin}).status_code == 403


def test_cross_site_posts_without_an_origin_are_refused():
    headers = {**KNOWN, "sec-fetch-site": "cross-site"}
    assert ask("POST", "/api/run/flow", headers=headers).status_code == 403


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_forms_cannot_start_a_computation(kind):
    answer = ask("POST", "/api/run/flow", headers={**KNOWN, "content-type": kind}, content=b"{}")
    assert answer.status_code == 415


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"[" * 5000, b"\xff"])
def test_malformed_requests_are_named(body):
    headers = {**KNOWN, "content-type": "application/json"}
    answer = ask("POST", "/api/run/flow", headers=headers, content=body)
    assert answer.status_code == 400
    assert "JSON" in answer.json()["message"]


def test_large_bodies_are_refused_by_their_length_and_without_one():
    answer = ask("POST", "/api/upload?name=a.csv", headers=KNOWN, content=b"x" * 20_000)
    assert answer.status_code == 413

    async def pieces():
        for _ in range(20):
            yield b"x" * 1000

    answer = ask("POST", "/api/upload?name=a.csv", headers=KNOWN, content=pieces())
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "path",
    ["/static/../_app.py", "/static/%2e%2e/_app.py", "/static/..%2f_app.py", "/static/none.js"],
)
def test_only_parts_of_the_page_are_served(path):
    assert ask("GET", path, headers=KNOWN).status_code == 404


@pytest.mark.parametrize("name", ["a.pkl", "a.pt", "", "a", "a.csv.exe"])
def test_other_kinds_of_files_are_refused(name):
    answer = ask("POST", "/api/upload", params={"name": name}, headers=KNOWN, content=b"x")
    assert answer.status_code == 400
    assert ".csv" in answer.json()["message"]


def test_paths_from_outside_never_reach_a_reader():
    content = {"source": {"upload": "../../etc/passwd"}}
    answer = ask("POST", "/api/run/table", headers=KNOWN, json=content)
    assert answer.status_code == 400
    assert "hand the file over" in answer.json()["message"]


def test_every_answer_carries_the_policy():
    for path, headers in [("/", KNOWN), ("/static/app.js", KNOWN), ("/", {})]:
        answer = ask("GET", path, headers=headers)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self'" in policy
        assert "unsafe-eval" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert "access-control-allow-origin" not in answer.headers


def test_page_has_no_inline_script():
    text = ask("GET", "/", headers=KNOWN).text
    assert "<script>" not in text
    assert "onclick" not in text


@pytest.mark.parametrize(
    "name", ["..", "../x", "/etc", "a/b", "", "x" * 65, ".hidden", None, 3, "a\x00"]
)
def test_names_of_sweeps_never_lead_out_of_their_folder(tmp_path, name):
    with pytest.raises(DataError):
        Shelf(tmp_path).path(name)


def test_links_out_of_the_folder_of_sweeps_are_refused(tmp_path):
    (tmp_path / "shelf").mkdir()
    (tmp_path / "else").mkdir()
    (tmp_path / "shelf" / "link").symlink_to(tmp_path / "else")
    with pytest.raises(DataError, match="leads out"):
        Shelf(tmp_path / "shelf").path("link")
    assert Shelf(tmp_path / "shelf").path("mine").name == "mine"


def test_without_a_folder_nothing_is_kept():
    with pytest.raises(DataError, match="--stores"):
        Shelf(None).path("mine")
    answer = ask("POST", "/api/run/basins", headers=KNOWN, json={"store": "mine"})
    assert answer.status_code == 400


def test_who_does_not_read_the_answer_is_given_up():
    async def talk():
        app = create_app(token=KEY, limits=Limits(patience=0.05))
        asked = [(b"host", b"127.0.0.1"), (b"x-thalweg-token", KEY.encode())]
        scope = {"type": "http", "method": "GET", "path": "/static/app.js", "query_string": b""}
        scope |= {"headers": asked, "server": ("127.0.0.1", 1), "root_path": ""}

        async def receive():
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(_):
            await asyncio.Event().wait()

        await app(scope, receive, send)

    with pytest.raises(TimeoutError):
        alone(talk())
