"""Manages webhooks as Labelbox's own client does. Arguments: ENDPOINT KEY, then one of

    create URL SECRET PROJECT TOPIC...   (PROJECT may be empty) prints the webhook
    list PROJECT                         (may be empty: the organization's) prints each, a line
    update ID NAME VALUE...              changes `url`, `status` or `topics` (a list with commas) of one
    delete ID                            ends one
    held                                 prints each as the stand-in holds it, with its secret
"""

import json
import sys
import urllib.request

endpoint, key, verb, *words = sys.argv[1:]
if verb == "held":
    with urllib.request.urlopen(endpoint.rsplit("/", 1)[0] + "/webhooks") as answer:
        for one in json.load(answer):
            print(json.dumps(one))
    sys.exit()

import labelbox  # takes seconds

client = labelbox.Client(api_key=key, endpoint=endpoint, rest_endpoint=endpoint, enable_experimental=False)


def shown(webhook):
    print(json.dumps({name: getattr(webhook, name) for name in ("uid", "url", "topics", "status")}))


def called(id):
    return next(one for one in client.get_organization().webhooks() if one.uid == id)


if verb == "create":
    url, secret, project, *topics = words
    project = client.get_project(project) if project else None
    shown(labelbox.Webhook.create(client, topics, url, secret, project))
elif verb == "list":
    [project] = words
    of = client.get_project(project) if project else client.get_organization()
    for one in of.webhooks():
        shown(one)
elif verb == "update":
    webhook, pairs = called(words[0]), dict(zip(words[1::2], words[2::2]))
    if "topics" in pairs:
        pairs["topics"] = pairs["topics"].split(",")
    webhook.update(**pairs)
    shown(webhook)
elif verb == "delete":
    called(words[0]).delete()
else:
    raise SystemExit(f"no verb {verb}")
