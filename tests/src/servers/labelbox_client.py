"""Exports a project as Labelbox's own client does. Arguments: ENDPOINT KEY PROJECT SINCE (may be empty)."""

import json
import sys

import labelbox

endpoint, key, project, since = sys.argv[1:]
client = labelbox.Client(api_key=key, endpoint=endpoint, rest_endpoint=endpoint, enable_experimental=False)
filters = {"last_activity_at": [since, None]} if since else None
params = dict.fromkeys(
    ["metadata_fields", "data_row_details", "project_details", "performance_details", "label_details"], True
)
export = client.get_project(project).export(filters=filters, params=params)
export.wait_till_done()
if export.has_result():
    for row in export.get_buffered_stream():
        print(json.dumps(row.json, ensure_ascii=False))
