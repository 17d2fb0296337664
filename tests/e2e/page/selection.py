"""Several deliveries: sent again, copied and saved together."""

import json

from playwright.sync_api import expect


def several_are_chosen(look):
    def chosen():
        return look.page.locator("#list [role=option][aria-checked=true]")

    done = look.page.locator("#picked-done")
    expect(look.page.locator("#picked")).to_be_hidden()
    look.line("r3").locator(".pick").click()
    look.line("r1").locator(".pick").click(modifiers=["Shift"])
    expect(chosen()).to_have_count(3)
    look.page.locator("#picked-replay").click()
    expect(done).to_contain_text("2 put onto the queue once more")
    # The one that was not says why, and stays.
    expect(done).to_contain_text("r3: this delivery became no event")
    expect(chosen()).to_have_count(1)
    expect(look.line("r3")).to_have_attribute("aria-checked", "true")
    # Another filter forgets what is out of sight.
    look.page.select_option("#show", "accepted")
    expect(look.page.locator("#list [role=option]")).to_have_count(2)
    expect(look.page.locator("#picked")).to_be_hidden()
    look.page.select_option("#show", "")
    expect(look.page.locator("#list [role=option]")).to_have_count(3)
    # By the keyboard alone.
    look.open("r1")
    look.page.locator("#list").focus()
    look.page.keyboard.press("Space")
    expect(look.line("r1")).to_have_attribute("aria-checked", "true")
    look.line("r2").locator(".pick").click()
    expect(look.page.locator("#picked-count")).to_have_text("2 selected")
    look.page.locator("#picked-retry").click()
    expect(done).to_contain_text("0 made ready again. 2 not, and still selected")
    look.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    look.line("r3").locator(".pick").click()
    look.page.locator("#picked-curl").click()
    # Its mask is too long for a command.
    expect(done).to_contain_text("2 as curl. 1 not, and still selected: r1: its body has to be a file")
    copied = look.page.evaluate("() => navigator.clipboard.readText()")
    assert copied.startswith("curl ") and len(copied.split(" &&\ncurl ")) == 2, copied
    look.line("r2").locator(".pick").click()
    with look.page.expect_download() as saved:
        look.page.locator("#picked-export").click()
    assert saved.value.suggested_filename == "events.json", saved.value.suggested_filename
    with open(saved.value.path(), encoding="utf-8") as file:
        events = json.load(file)
    # In the order in which they came.
    assert [event["source"] for event in events] == ["/label-studio", "/labelbox"], events
    expect(look.page.locator("#picked")).to_be_hidden()
