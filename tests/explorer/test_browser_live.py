"""What the Flow screen says while a run comes in, in a real browser."""

import json
import re
import time
import urllib.parse

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

TARGET = {"learn": "sigma", "sigma": "3,2,1", "dims": "4,4,4,3", "value": "0.01"}
NAMED = re.compile(r"Now near the saddles that have learned nothing \(loss [0-9.e+-]+\)")


def go(page, address, **values):
    page.goto(f"{address.split('/?')[0]}/#/flow?{urllib.parse.urlencode(values)}")
    page.wait_for_selector("nav a[aria-current=page][href='#/flow']")


def until(page, role, pattern):
    deadline = time.monotonic() + 60
    while not re.search(pattern, page.inner_text(f"[data-role={role}]")):
        assert time.monotonic() < deadline, page.inner_text(f"[data-role={role}]")
        page.wait_for_timeout(30)


def point(t, loss, near, proof):
    """A message as a worker sends it."""
    return {
        "kind": "live",
        "t": t,
        "steps": 10,
        "loss": loss,
        "near": near,
        "proof": proof,
        "modes": [1.0, 0.5],
        "norms": [1.0, 1.0],
        "drift": 1e-15,
        "gradient": None,
    }


def proof(since=None, rate=0.0, time=0.0, guaranteed=()):
    return {
        "since": since,
        "time": time,
        "rate": rate,
        "excess": False,
        "guaranteed": list(guaranteed),
        "message": "",
    }


RECORD = """() => {
    window.heard = [];
    new MutationObserver(() => {
        const text = (role) => document.querySelector(`[data-role=${role}]`)?.textContent || "";
        window.heard.push(["answer", "where", "proof"].map(text).join(" | "));
    }).observe(document.getElementById("view"), { childList: true, subtree: true });
}"""


def test_a_running_flow_names_the_saddle_that_it_is_near(page, address):
    """Every text is written down as it appears: looking now and then could miss one."""
    values = {"data": "digits", "widths": "32,32", "loss": "sum", "rtol": "1e-12"}
    page.evaluate(RECORD)
    go(page, address, **values, value="0.001", go=1)
    until(page, "answer", "[1-9][0-9]* steps|Ends at")
    page.click("#stop", force=True)
    heard = [text.split(" | ") for text in page.evaluate("window.heard")]
    running = [parts for parts in heard if parts[0].startswith("Integrating: time")]
    assert any(NAMED.search(parts[1]) for parts in running)
    assert running[0][2].startswith("Not yet certified")


def test_plateaus_and_certificate_are_told_as_they_come(page, address):
    """The stream is played by the test, so that every moment of it can be looked at."""
    nothing, one = {"learned": [], "loss": 5.0}, {"learned": [0], "loss": 0.5}
    lines = [
        point(0.0, 5.0, nothing, proof()),
        point(1.0, 4.9, nothing, proof()),
        point(2.0, 3.0, None, proof(guaranteed=[0])),
        point(3.0, 0.52, one, proof(guaranteed=[0])),
        point(4.0, 0.51, one, proof(guaranteed=[0])),
        point(4.2, 0.4, None, proof(since=4.2, time=4.2)),
        point(5.0, 0.1, None, proof(since=4.2, rate=0.25, time=5.0)),
    ]
    told = []
    for count in (2, 3, 5, 6, 7):
        body = "\n".join(json.dumps(item) for item in lines[:count]) + "\n"
        page.route(
            "**/api/run/flow",
            lambda route, _, body=body: route.fulfill(
                body=body, content_type="application/x-ndjson"
            ),
        )
        page.click("#go")
        page.wait_for_selector(".picture svg")
        # A stream that ends without an end counts as stopped.
        until(page, "answer", "Stopped")
        told.append([page.inner_text(f"[data-role={role}]") for role in ("where", "proof")])
        page.unroute("**/api/run/flow")
    where, proved = zip(*told, strict=True)
    passed = "so far the run passed the saddles that have learned nothing (loss 5)"
    assert where[0] == "Now near the saddles that have learned nothing (loss 5)."
    assert where[1] == f"Now between saddles; {passed}."
    assert where[2] == f"Now near the saddles that have learned σ₁ (loss 0.5); {passed}."
    assert where[3] == f"Now between saddles; {passed}, then σ₁ (loss 0.5)."
    assert proved[0] == (
        "Not yet certified: so far nothing beyond boundedness and convergence is proved."
    )
    assert proved[2] == "Not yet certified: so far it is proved that σ₁ will be learned."
    assert (
        proved[3] == "✓ Certified from t = 4.2:"
        " the flow from the computed point converges to a global minimum."
    )
    assert proved[4] == (
        "✓ Certified from t = 4.2:"
        " the flow from the computed point converges to a global minimum;"
        " from t = 5 on the loss decays at least like exp(−2 × 0.25 t)."
    )
    assert "certified from time 4.2" in page.locator(".picture svg").first.get_attribute(
        "aria-label"
    )
    assert "certified" in page.locator(".picture svg").first.text_content()
    for role in ("where", "proof"):
        assert page.get_attribute(f"[data-role={role}]", "aria-live") == "polite"


def test_what_was_passed_and_proved_stays_when_the_run_is_over(page, address):
    go(page, address, **TARGET, go=1)
    page.wait_for_selector("[data-role=answer][data-done]")
    where = page.inner_text("[data-role=where]")
    assert where == (
        "On the way the run passed the saddles that have learned"
        " nothing (loss 7), then σ₁ (loss 2.5), then σ₁, σ₂ (loss 0.5)."
    )
    found = re.match(r"✓ Certified from t = ([0-9.]+): ", page.inner_text("[data-role=proof]"))
    assert 0.0 < float(found.group(1)) < 90.0


def test_a_run_that_stops_early_is_not_called_certified(page, address):
    go(page, address, **TARGET, t_end="30", go=1)
    page.wait_for_selector("[data-role=answer][data-done]")
    assert page.inner_text("[data-role=proof]").startswith("Not yet certified")
    assert "certified" not in page.locator(".picture svg").first.text_content()


@pytest.mark.parametrize("screen", ["landscape", "slice"])
def test_a_view_with_a_chosen_point_keeps_both_snippets(page, address, screen):
    """The chosen point is asked for as soon as the picture is there."""
    chosen = {"landscape": {"point": "0|strict_saddle"}, "slice": {"drop": "0.3,1.2"}}[screen]
    query = urllib.parse.urlencode({**TARGET, **chosen, "go": 1})
    page.goto(f"{address.split('/?')[0]}/#/{screen}?{query}")
    done = {"landscape": "[data-role=point]", "slice": "[data-role=path]"}[screen]
    page.wait_for_selector(done)
    page.wait_for_selector(".snippets >> nth=1")
    titles = page.locator(".snippets summary").all_inner_texts()
    what = {"landscape": "this point", "slice": "this run"}[screen]
    assert sorted(titles) == [
        "The same in Python",
        f"The same in Python: {what}",
        "The same on the command line",
        f"The same on the command line: {what}",
    ]
    page.get_by_text(f"The same on the command line: {what}").click()
    line = {
        "landscape": "thalweg landscape --sigma 3,2,1 --dims 4,4,4,3 --sample strict_saddle "
        "--learned 0 --seed 0 --out critical.npz",
        "slice": "thalweg slice --sigma 3,2,1 --dims 4,4,4,3 --a none --b 0 --resolution 61 "
        "--drop 0.3,1.2 --out plane",
    }[screen]
    assert page.get_by_text(line, exact=True).is_visible()


def test_a_push_can_be_repeated_in_the_terminal(page, address):
    query = urllib.parse.urlencode({**TARGET, "point": "0|non_strict_saddle", "push": 1, "go": 1})
    page.goto(f"{address.split('/?')[0]}/#/landscape?{query}")
    title = page.get_by_text("The same on the command line: the run after the push")
    title.click()
    line = "--learned 0 --kind non_strict_saddle --seed 0 --step 0.001"
    assert page.get_by_text(f"thalweg push --sigma 3,2,1 --dims 4,4,4,3 {line}").is_visible()


def test_a_saved_picture_carries_its_legend(page, address):
    go(page, address, **TARGET, go=1)
    page.wait_for_selector("[data-role=answer][data-done]")
    page.wait_for_selector(".chart:has-text('Strength') svg")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Save Strength of each direction as SVG").click()
    text = waiting.value.path().read_text(encoding="utf-8")
    assert all(f">σ{i}</text>" in text for i in "₁₂₃")


def test_nodes_of_the_diagram_can_be_told_apart_for_real_data(page, address):
    """Linnerud's critical values are 0.3, 25 and 3e5: to scale they would cover each other."""
    origin = address.split("/?")[0]
    page.goto(f"{origin}/#/landscape?data=linnerud&widths=3&go=1")
    page.wait_for_selector(".node")
    boxes = [node.bounding_box() for node in page.locator(".node").all()]
    places = [(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2) for box in boxes]
    apart = [max(abs(a[0] - b[0]), abs(a[1] - b[1])) for a in places for b in places if a is not b]
    assert len(places) == 8
    assert min(apart) > 12.0
    assert "not to scale" in page.locator(".picture svg").first.text_content()
