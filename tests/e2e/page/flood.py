"""Much of everything: an event with a million regions, and more deliveries than anybody reads. The page stays usable."""

import http.client
import json
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from playwright.sync_api import expect

from bodies import event

# Lines that the list has at most while nobody scrolls.
MOST_LINES = 500

SENDERS, OF_EACH = 4, 750


def newest(look):
    look.page.goto(look.base + "/")
    first = look.page.locator("#list [role=option]").first
    first.wait_for()
    return int(first.get_attribute("data-number"))


def a_million_regions_are_no_harm(look):
    name = "r%d" % (newest(look) + 1)
    region = b'{"id":"k","type":"keypoint","value":{"x":1,"y":1,"width":1}}'
    empty = json.dumps(event("ANNOTATION_CREATED", 6_000_000, [], 9)).encode()
    body = empty.replace(b'"result": []', b'"result": [' + b",".join([region] * 1_000_000) + b"]")
    assert len(body) > 50_000_000, len(body)
    assert look.sender.label_studio(body) == 200
    look.line(name).wait_for()
    look.open(name)
    look.tab("drawing")
    expect(look.page.locator("#panel")).to_contain_text("is not drawn: 16 MiB are the most")
    look.tab("body")
    expect(look.page.locator("#panel")).to_contain_text("These are the first 64 KiB of")
    look.nothing_happened()


def deliver(relay, secret, sender):
    """Delivers one after the other, on one connection."""
    connection = http.client.HTTPConnection(urlsplit(relay).netloc, timeout=60)
    for number in range(OF_EACH):
        body = json.dumps(event("ANNOTATION_CREATED", 7_000_000 + sender * OF_EACH + number, [], 10))
        head = {"Content-Type": "application/json", "Authorization": "Bearer " + secret}
        connection.request("POST", "/label-studio", body, head)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status
    connection.close()


def a_flood_is_looked_at(look):
    before = newest(look)
    is_beyond = "(n) => Number(document.querySelector('#list [role=option]')?.dataset.number ?? 0) >= n"
    with ThreadPoolExecutor(SENDERS) as pool:
        begun = time.monotonic()
        sent = [pool.submit(deliver, look.sender.relay, look.sender.secret, sender) for sender in range(SENDERS)]
        look.page.wait_for_function(is_beyond, arg=before + 1)
        # Whoever looks for something finds it meanwhile.
        look.page.fill("#search", "delivery-of-the-page")
        expect(look.page.locator("#list [role=option]")).to_have_count(1)
        look.open("r2")
        look.page.fill("#search", "")
        for each in sent:
            each.result()
        took = time.monotonic() - begun
    # All of it came, and the list has the newest.
    look.page.wait_for_function(is_beyond, arg=before + SENDERS * OF_EACH)
    lines = look.page.locator("#list [role=option]").count()
    assert 0 < lines <= MOST_LINES, lines
    look.nothing_happened()
    print("a page beside %.0f deliveries/s" % (SENDERS * OF_EACH / took), flush=True)
