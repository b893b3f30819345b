"""The page in a real Chromium: sign in, ask, watch the answer arrive, follow a citation, give feedback."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Page, expect, sync_playwright

from core.client_settings import WebSettings
from local.issuer import LocalIssuer, open_issuer
from tests.rigs.waiting import PATIENCE_S, wait_until
from tests.web.fake_rag import CAUSE, FIX, TENANT, FakeServices, serve, token

_CHROMIUM = Path("/usr/bin/chromium")


@pytest.fixture(scope="module")
def issuer() -> Iterator[LocalIssuer]:
    with ExitStack() as stack:
        yield open_issuer(stack)


@pytest.fixture(scope="module")
def services(issuer: LocalIssuer) -> Iterator[FakeServices]:
    """The fake services; the issuer is on another port than the page."""
    with serve(WebSettings(token_url=f"{issuer.url}/token", tenant=TENANT)) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not _CHROMIUM.exists():
        if os.environ.get("CI"):
            pytest.fail(f"{_CHROMIUM} is missing: apt-get install chromium")
        pytest.skip(f"{_CHROMIUM} is missing: apt-get install chromium")
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu"]  # CI runs as root
        chromium = playwright.chromium.launch(executable_path=_CHROMIUM, args=arguments)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser, services: FakeServices) -> Iterator[Page]:
    """The page, signed in. A violation of the content security policy or an exception fails the test."""
    services.gate.clear()
    services.left.clear()
    faults: list[str] = []
    context = browser.new_context(reduced_motion="reduce", viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE_S * 1000)
    expect.set_options(timeout=PATIENCE_S * 1000)
    page = context.new_page()
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if _is_violation(message.text) else None)
    page.add_init_script(f"sessionStorage.setItem('ticketstream.token', '{token()}')")
    page.goto(services.url)
    expect(page.get_by_label("What does the customer need to know?")).to_be_focused()
    yield page
    assert faults == []
    context.close()


def _is_violation(text: str) -> bool:
    return "Refused" in text or "Content Security Policy" in text


def _ask(page: Page, question: str) -> None:
    page.get_by_label("What does the customer need to know?").fill(question)
    page.keyboard.press("Enter")


def test_signing_out_ends_the_sign_in(page: Page, services: FakeServices) -> None:
    """Signing out tells the service, with the token; if that fails, the page is left all the same and says so."""
    services.ends = False
    given = page.evaluate("sessionStorage.getItem('ticketstream.token')")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("alert")).to_contain_text("your sign-in ends when it expires")
    assert services.requests[-1] == ("DELETE", "/api/v1/session", None)
    assert services.headers[-1]["authorization"] == f"Bearer {given}"
    assert page.evaluate("sessionStorage.getItem('ticketstream.token')") is None


def test_an_agent_signs_in_asks_and_gives_feedback(page: Page, services: FakeServices, issuer: LocalIssuer) -> None:
    """An agent signs in, asks, sees each sentence as it arrives, opens a citation and gives feedback."""
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("Your user name").fill("Ada")
    page.get_by_label("Sign-in code").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("The sign-in code is wrong")
    page.get_by_label("Sign-in code").fill(issuer.secret)
    page.keyboard.press("Enter")
    expect(page.locator("#who")).to_contain_text("Adaacme")

    _ask(page, "slow: why is the VAT wrong?")
    sentences = page.locator(".sentence")
    expect(sentences).to_have_text([f"{CAUSE}1"])  # the next sentence hasn't arrived yet
    expect(page.get_by_role("status")).to_have_text("Writing…")
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    services.gate.set()
    expect(sentences).to_have_text([f"{CAUSE}1", f"{FIX}12"])
    expect(page.get_by_text("Answered from 2 sources, every sentence checked.")).to_be_visible()

    page.get_by_role("button", name="Source 1").nth(1).click()
    expect(page.locator("mark.now")).to_have_text(FIX)  # exact behind an emoji
    expect(page.locator("mark.now")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Source 1").nth(1)).to_be_focused()
    page.keyboard.press("2")
    expect(page.locator(".source.now h3")).to_have_text("Invoice shows 19 % instead of 7 %")

    page.get_by_role("button", name="Edited").click()
    expect(page.get_by_label("What you sent")).to_have_value(f"{CAUSE} {FIX}")
    page.get_by_label("What you sent").fill("Press Recalculate.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Thank you.")).to_be_visible()
    assert services.asked("/a-1/feedback") == [{"verdict": "edited", "text": "Press Recalculate."}]
    assert services.requests[-1][1] == "/api/v1/answers/a-1/feedback"


def test_the_page_says_what_went_wrong(page: Page, services: FakeServices) -> None:
    """A refusal, a degraded answer, a busy or broken service and a truncated answer are each shown as such."""
    for question, words in [
        ("nothing is about this", "No solved ticket is about this"),
        ("unsupported by tickets", "The closest ticket doesn’t answer this"),
        ("degraded", "claude did not answer in time"),
        ("busy", "Try again in 2 seconds."),
        ("broken", "Request req-7"),
        ("cut", "The answer was cut off"),
    ]:
        _ask(page, question)
        expect(page.locator("#result .note")).to_contain_text(words)
        expect(page.get_by_role("button", name="Ask", exact=True)).to_be_visible()
    page.get_by_role("button", name="Try again").click()
    wait_until(lambda: len([body for body in services.asked("/answers") if body["question"] == "cut"]) == 2)
    _ask(page, "expired")
    expect(page.get_by_role("alert")).to_have_text("Your sign-in is no longer valid. Sign in again.")
    assert page.evaluate("sessionStorage.length") == 0
    assert token().split(".")[1] not in page.url


def test_a_refusal_shows_the_nearest_tickets_and_no_sources(page: Page) -> None:
    """The nearest tickets have a heading of their own; if no ticket is near, the page shows none."""
    _ask(page, "unsupported by tickets")
    expect(page.get_by_role("heading", name="Nearest ticket")).to_be_visible()
    expect(page.locator(".source h3")).to_have_text(["Wrong VAT on the invoice after a plan change"])
    expect(page.locator(".source .facts")).to_contain_text("in the language of the question")
    expect(page.get_by_text("No answer. The nearest solved tickets are listed.")).to_be_visible()
    _ask(page, "nothing is about this")
    expect(page.get_by_text("No answer.", exact=True)).to_be_visible()
    expect(page.locator("#sources")).to_be_hidden()


def test_an_enter_that_confirms_a_word_asks_nothing(page: Page, services: FakeServices) -> None:
    """Safari marks the Enter that ends an input method's composition only by its key code; it asks nothing."""
    page.get_by_label("What does the customer need to know?").fill("nothing: 請求書")
    key = "{key: 'Enter', keyCode: 229, bubbles: true, cancelable: true}"
    page.evaluate(f"document.getElementById('question').dispatchEvent(new KeyboardEvent('keydown', {key}))")
    expect(page.locator("#result")).to_be_hidden()
    page.keyboard.press("Enter")
    expect(page.locator("#asked")).to_have_text("nothing: 請求書")
    assert len([body for body in services.asked("/answers") if body["question"] == "nothing: 請求書"]) == 1


def test_stopping_an_answer_ends_the_request(page: Page, services: FakeServices) -> None:
    """Stopping closes the request, and the page says that the answer isn't complete."""
    _ask(page, "slow")
    expect(page.locator(".sentence")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.get_by_text("Stopped. The answer is not complete.")).to_be_visible()
    services.gate.set()
    wait_until(services.left.is_set)


def test_what_customers_wrote_is_text(page: Page) -> None:
    """Markup in a ticket or question is shown literally and never runs."""
    _ask(page, "<img src=x onerror=alert(1)> VAT")
    expect(page.locator("#asked")).to_have_text("<img src=x onerror=alert(1)> VAT")
    expect(page.locator(".source h3").nth(2)).to_contain_text("<script>")
    assert page.title() == "Ask · ticketstream"
    assert page.locator("#result img, #result script").count() == 0
    with pytest.raises(Error, match="requires 'TrustedHTML'"):
        page.evaluate("document.body.innerHTML = '<b>x</b>'")


def test_events_are_the_same_however_the_stream_is_cut(page: Page) -> None:
    """Chunks may end inside a line's end or a character; comments and an event that was cut off aren't events."""
    stream = (
        ": heartbeat\r\n\r\nevent: sentence\r\ndata: é🙏\u2028\r\n\r\n"
        "data:1\ndata: 2\n\nevent: done\rdata: x\r\revent: cut\n"
    )
    read = """async ([bytes, size]) => {
        const { readEvents } = await import("/js/sse.js");
        const body = new ReadableStream({ start(out) {
            for (let at = 0; at < bytes.length; at += size) out.enqueue(Uint8Array.from(bytes.slice(at, at + size)));
            out.close();
        } });
        const found = [];
        for await (const { event, data } of readEvents(body)) found.push([event, data]);
        return found;
    }"""
    for size in (1, 2, 3, 5, 8, 1000):
        found = page.evaluate(read, [list(stream.encode()), size])
        assert found == [["sentence", "é🙏\u2028"], ["message", "1\n2"], ["done", "x"]], size


def test_nothing_is_cut_off_at_any_width(page: Page) -> None:
    """The page never scrolls sideways."""
    _ask(page, "VAT")
    expect(page.locator(".feedback")).to_be_visible()
    for width in (360, 800, 1400):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
