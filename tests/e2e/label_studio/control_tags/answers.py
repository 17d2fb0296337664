"""Control tags that answer something of the whole task."""

from kinds import answer, kind

TEXT = '<Text name="text" value="$text"/>\n'
DATA = {"text": "The fox is quick."}


def choices(more, inside=None):
    inside = inside or "".join('<Choice value="%s"/>' % it for it in ("Good", "Fair", "Bad"))
    return TEXT + '<Choices name="tag" toName="text"%s>%s</Choices>' % (more, inside)


@kind(choices(""), DATA)
def choices_single(e):
    e.choose("Fair")
    return [answer("tag", ["Fair"])]


@kind(choices(' choice="multiple"'), DATA)
def choices_multiple(e):
    e.choose("Good")
    e.choose("Bad")
    return [answer("tag", ["Good", "Bad"])]


NESTED = (
    '<Choice value="Animal"><Choice value="Fox" alias="vulpes"/><Choice value="Dog"/></Choice><Choice value="Plant"/>'
)


@kind(choices(' choice="multiple" allowNested="true"', NESTED), DATA)
def choices_nested(e):
    """An alias stands in the choice's place."""
    e.choose("Fox")
    return [answer("tag", [["Animal", "vulpes"]])]


@kind(choices(' layout="select"'), DATA)
def choices_select(e):
    e.click('[data-testid="select-trigger"]')
    e.page.get_by_role("option", name="Bad").first.click()
    return [answer("tag", ["Bad"])]


@kind(TEXT + '<Taxonomy name="tag" toName="text"><Choice value="Animal"><Choice value="Fox"/><Choice value="Dog"/></Choice>'
      '<Choice value="Plant"/></Taxonomy>', DATA)
def taxonomy(e):
    e.taxonomy(["Animal", "Fox"], ["Plant"])
    return [answer("tag", [["Animal", "Fox"], ["Plant"]])]


@kind(TEXT + '<Rating name="tag" toName="text" maxRating="5"/>', DATA)
def rating(e):
    e.page.locator(".ant-rate-star").nth(3).click()
    return [answer("tag", [4])]


@kind(TEXT + '<Number name="tag" toName="text" step="0.25"/>', DATA)
def number(e):
    e.fill('input[type="number"]', "12.75")
    return [answer("tag", [12.75])]


@kind(TEXT + '<DateTime name="tag" toName="text" only="date,time"/>', DATA)
def date_time(e):
    e.fill('input[type="date"]', "2024-02-29")
    e.fill('input[type="time"]', "13:45")
    return [answer("tag", ["2024-02-29T13:45"])]


@kind(TEXT + '<DateTime name="tag" toName="text" only="date" format="%d.%m.%Y"/>', DATA)
def date(e):
    e.fill('input[type="date"]', "2024-02-29")
    return [answer("tag", ["29.02.2024"])]


@kind(TEXT + '<TextArea name="tag" toName="text" maxSubmissions="2"/>', DATA)
def text_area(e):
    for text in ("first 🐾", "second"):
        e.write("tag", text)
    return [answer("tag", ["first 🐾", "second"])]


@kind('<Pairwise name="tag" toName="one,two"/>\n<Text name="one" value="$one"/>\n<Text name="two" value="$two"/>',
      {"one": "It is quick.", "two": "It is slow."})
def pairwise(e):
    """The left one is chosen."""
    e.page.locator(".lsf-main-view").get_by_text("It is quick.").click()
    return [answer("tag", ["left"])]


ITEMS = {"items": [{"id": "a", "title": "First"}, {"id": "b", "title": "Second"}, {"id": "c", "title": "Third"}]}


@kind('<List name="list" value="$items" title="Items"/>\n<Ranker name="tag" toName="list"/>', ITEMS)
def ranker(e):
    """The first is put below the third."""
    e.carry("First", "Third")
    return [answer("tag", ["b", "c", "a"])]


@kind('<List name="list" value="$items" title="Items"/>\n<Ranker name="tag" toName="list">'
      '<Bucket name="best" title="Best"/><Bucket name="rest" title="Rest" default="true"/></Ranker>', ITEMS)
def ranker_buckets(e):
    e.carry("Second", "Best")
    return [answer("tag", {"best": ["b"], "rest": ["a", "c"]})]
