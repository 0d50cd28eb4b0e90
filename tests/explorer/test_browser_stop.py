"""Stop on the screens whose work is usually over at once, and what is said then."""

import json
import time
import urllib.parse

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

TARGET = {"learn": "sigma", "sigma": "3,2,1", "dims": "4,4,4,3", "value": "0.01"}
WIDE = {"data": "digits", "widths": "200,200,200", "loss": "sum"}
"""Its plane takes seconds before anything is sent."""
LAST = "() => [...document.querySelectorAll('[data-role=answer]')].at(-1)?.textContent"


def go(page, address, screen, **values):
    page.goto(f"{address.split('/?')[0]}/#/{screen}?{urllib.parse.urlencode(values)}")
    page.wait_for_selector(f"nav a[aria-current=page][href='#/{screen}']")


def until(page, expression):
    deadline = time.monotonic() + 60
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, expression
        page.wait_for_timeout(30)


def hold(page, task, first=()):
    """Answer a task with these messages and then nothing, as one that takes for ever."""
    text = "".join(json.dumps(item) + "\n" for item in first)
    page.evaluate(
        "([task, text]) => { const real = window.fetch; window.left = false;"
        " window.fetch = (url, options) => {"
        "  if (!String(url).endsWith(`/api/run/${task}`)) return real(url, options);"
        "  const body = new ReadableStream({ start(pipe) {"
        "   if (text) pipe.enqueue(new TextEncoder().encode(text));"
        "   options.signal.addEventListener('abort', () => { window.left = true;"
        "    pipe.error(new DOMException('left', 'AbortError')); }); } });"
        "  return Promise.resolve(new Response(body)); };"
        " window.release = () => { window.fetch = real; }; }",
        [task, text],
    )


def stopped(page):
    """Press Stop; the page says so, and can be used again."""
    page.wait_for_selector("#stop:enabled")
    page.click("#stop")
    until(page, f"({LAST})() === 'Stopped.'")
    assert page.is_disabled("#stop")
    assert page.evaluate("window.left")
    assert page.inner_text("#news") == "stopped"
    page.evaluate("window.release()")


@pytest.mark.parametrize("screen", ["flow", "landscape", "slice", "basins", "optimizer"])
def test_every_screen_stops_and_works_again(page, address, screen):
    """The work is made to last for ever, so that Stop always comes in time."""
    more = {"n": "20", "steps": "20", "value": "0.3"}
    go(page, address, screen, **{**TARGET, **more})
    hold(page, screen)
    page.click("#go")
    stopped(page)
    page.click("#go")
    page.wait_for_selector("[data-role=answer][data-done]")
    assert "bad" not in page.get_attribute("[data-role=answer]", "class").split()


def test_a_point_under_construction_is_stopped(page, address):
    go(page, address, "landscape", **TARGET, go=1)
    page.wait_for_selector(".node")
    hold(page, "point")
    page.locator(".node").first.click()
    until(page, f"({LAST})() === 'Constructing the point…'")
    stopped(page)
    assert page.locator("[data-role=point]").count() == 0
    page.locator(".node").first.click()
    page.wait_for_selector("[data-role=point]")
    assert page.locator("text=Stopped.").count() == 0


def test_a_push_is_stopped_and_does_not_begin_when_its_point_was(page, address):
    go(page, address, "landscape", **TARGET, go=1, point="0|strict_saddle")
    page.wait_for_selector("[data-role=point]")
    hold(page, "push")
    page.get_by_role("button", name="Push off and follow the flow").click()
    page.wait_for_selector("section[aria-label='Run after the push']")
    stopped(page)
    go(page, address, "landscape", **TARGET, point="0|strict_saddle", push="1")
    hold(page, "point")
    page.evaluate("location.hash += '&go=1'")
    until(page, f"({LAST})() === 'Constructing the point…'")
    stopped(page)
    page.wait_for_timeout(300)
    assert page.locator("section[aria-label='Run after the push']").count() == 0


def test_a_start_that_was_let_go_is_stopped(page, address):
    go(page, address, "slice", **TARGET, go=1)
    page.wait_for_selector("[data-role=answer][data-done]")
    hold(page, "drop")
    plane = page.locator("svg[aria-roledescription=plane]")
    plane.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    until(page, f"({LAST})() === 'Following the flow…'")
    stopped(page)
    page.locator("svg[aria-roledescription=plane]").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-role=path]")


def test_a_plane_that_really_takes_long_is_stopped(page, address):
    go(page, address, "slice", **WIDE)
    page.click("#go")
    page.wait_for_selector("#stop:enabled")
    page.click("#stop")
    until(page, f"({LAST})() === 'Stopped.'")
    go(page, address, "flow", **TARGET)
    page.click("#go")
    page.wait_for_selector("[data-role=answer][data-done]")


SCREENS = ["flow", "landscape", "slice", "basins", "optimizer"]


@pytest.mark.parametrize("screen", SCREENS)
def test_the_main_action_needs_no_mouse(page, address, screen):
    """From the top of the page with Tab and Enter alone."""
    go(page, address, screen, **{**TARGET, "n": "20", "steps": "20", "value": "0.3"})
    page.evaluate("document.activeElement.blur()")
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "go":
            break
    assert page.evaluate("document.activeElement.id") == "go"
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-role=answer][data-done]")


def test_only_the_newest_error_is_shown_and_it_spoils_no_finished_answer(page, address):
    go(page, address, "slice", **TARGET, go=1)
    page.wait_for_selector("[data-role=answer][data-done]")
    refused = json.dumps({"kind": "error", "message": "no such start"}) + "\n"
    page.route("**/api/run/drop", lambda route: route.fulfill(body=refused))
    page.locator("svg[aria-roledescription=plane]").focus()
    page.keyboard.press("Enter")
    until(page, f"({LAST})() === 'no such start'")
    assert page.inner_text("#form-error") == "no such start"
    answers = page.locator("[data-role=answer]")
    assert "bad" not in answers.first.get_attribute("class").split()
    assert "bad" in answers.last.get_attribute("class").split()


@pytest.mark.parametrize("screen", SCREENS)
def test_the_address_brings_every_screen_back(page, address, screen):
    go(page, address, screen, **{**TARGET, "n": "20", "steps": "20", "value": "0.3"})
    page.click("#go")
    page.wait_for_selector("[data-role=answer][data-done]")
    said = page.inner_text("[data-role=answer]")
    fields = page.evaluate("[...document.querySelectorAll('#controls input')].map(e => e.value)")
    page.reload()
    page.wait_for_selector("[data-role=answer][data-done]")
    assert page.inner_text("[data-role=answer]") == said
    now = page.evaluate("[...document.querySelectorAll('#controls input')].map(e => e.value)")
    assert now == fields


@pytest.mark.parametrize("screen", SCREENS)
def test_every_screen_fits_a_phone_and_no_table_scrolls_sideways(page, address, screen):
    page.set_viewport_size({"width": 390, "height": 844})
    go(page, address, screen, **{**TARGET, "n": "20", "steps": "20", "value": "0.3"}, go=1)
    page.wait_for_selector("[data-role=answer][data-done]")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    wide = (
        "[...document.querySelectorAll('.scroll')].filter(e => e.scrollWidth > e.clientWidth + 1)"
    )
    assert page.evaluate(f"{wide}.length") == 0


def test_no_name_in_the_picture_of_the_loss_covers_another(page, address):
    """Pushed off, the run begins below the first level: its name once lay over the axis title."""
    go(page, address, "landscape", **TARGET, go=1, point="0|strict_saddle", push="1")
    run = page.locator("section[aria-label='Run after the push']")
    run.locator("[data-role=answer][data-done]").wait_for()
    run.locator(".picture svg").first.wait_for()
    boxes = run.locator(".picture svg").first.evaluate(
        "svg => [...svg.querySelectorAll('text')].filter(e => e.textContent).map(e => {"
        " const b = e.getBoundingClientRect();"
        " return [e.textContent, b.left, b.right, b.top + 3, b.bottom - 3]; })"
    )
    title = next(box for box in boxes if "reducible loss" in box[0])
    for name, left, right, top, bottom in boxes:
        if name != title[0]:
            apart = right < title[1] or left > title[2] or bottom < title[3] or top > title[4]
            assert apart, name
