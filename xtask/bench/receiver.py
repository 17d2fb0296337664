"""The receiver that the platform's documents show, in our own words: the yardstick of `cargo xtask bench`.

It keeps nothing: what it answered "Success" to is gone. With BENCH_PRINT it prints each delivery, as
the documents' example does; without, it is as fast as this much Flask can be.
"""

import hashlib
import hmac
import json
import os

from flask import Flask, request

SECRET = os.environ["BENCH_SECRET"].encode()
PRINT = "BENCH_PRINT" in os.environ

app = Flask(__name__)


@app.route(os.environ["BENCH_PATH"], methods=["POST"])
def receive():
    payload = request.data
    computed = hmac.new(SECRET, msg=payload, digestmod=hashlib.sha1).hexdigest()
    if request.headers["X-Hub-Signature"] != "sha1=" + computed:
        return "Error", 500
    if PRINT:
        print("Delivery:", request.headers["X-Labelbox-Id"])
        print("Event:", request.headers["X-Labelbox-Event"])
        print("Payload:", json.dumps(json.loads(payload.decode("utf8")), indent=4))
    return "Success"
