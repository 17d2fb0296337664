"""The walk: every call of the API that makes Label Studio send a webhook, and some that must not."""

import json
import os
import subprocess
import urllib.parse

import samples as s

OK = (200, 201, 204)


class Walk:
    def __init__(self, label_studio, attach, ml_url, bulk, regions):
        self.ls, self.attach, self.ml_url, self.bulk, self.regions = label_studio, attach, ml_url, bulk, regions
        self.steps = []

    def step(self, name, call, ok=OK):
        status, answer = call()
        self.steps.append({"step": name, "status": status, "seconds": round(self.ls.seconds, 6)})
        print("%-45s %s %7.3f s" % (name, status, self.ls.seconds), flush=True)
        if status not in ok:
            raise RuntimeError("%s: the API answered %s: %s" % (name, status, str(answer)[:300]))
        return answer

    def post(self, name, path, value=None, ok=OK):
        return self.step(name, lambda: self.ls.api("POST", path, {} if value is None else value), ok)

    def patch(self, name, path, value):
        return self.step(name, lambda: self.ls.api("PATCH", path, value))

    def delete(self, name, path):
        return self.step(name, lambda: self.ls.api("DELETE", path))

    def annotate(self, name, task, result, **more):
        return self.post(name, "/api/tasks/%d/annotations/" % task, dict({"result": result, "lead_time": 12.345}, **more))["id"]

    def action(self, name, project, action, **selected):
        selected = selected or {"all": True, "excluded": []}
        self.post(name, "/api/dm/actions?id=%s&project=%d" % (action, project), {"selectedItems": selected})

    def run(self):
        image, text, audio = self.projects()
        task, text_task, long_task, audio_task = self.tasks(image, text, audio)
        annotation = self.annotations(task, text_task, long_task, audio_task)
        self.edges(image)
        self.predictions(image, task, text_task)
        self.label_links(text)
        if self.ml_url:
            self.ml_backend(image, task)
        self.deletions(image, text, audio, task, annotation)
        return self.steps

    def projects(self):
        def create(name, **project):
            return self.post("project_" + name, "/api/projects/", project)["id"]

        image = create("image", title="Images", label_config=s.IMAGE)
        text = create("unicode", title="Тексты 文本 📝 é", description=s.UNICODE, label_config=s.TEXT)
        audio = create("audio", title="Audio", label_config=s.AUDIO)
        for project in (image, text, audio):
            self.attach(project)
        path = "/api/projects/%d/" % image
        self.patch("project_patch_title", path, {"title": "Images v2", "expert_instruction": "<p>Draw <b>tight</b> boxes</p>"})
        self.patch("project_patch_label_config", path, {"label_config": s.IMAGE + "<!-- " + "edited " * 50 + "-->"})
        self.patch("project_patch_no_change", path, {})
        return image, text, audio

    def tasks(self, image, text, audio):
        def create(name, project, data):
            return self.post(name, "/api/tasks/", dict(data, project=project))["id"]

        task = create("task_single", image, s.image_task(1))
        self.patch("task_patch", "/api/tasks/%d/" % task, {"meta": {"edited": True}})
        path = "/api/projects/%d/import" % image
        self.post("tasks_import_3", path, [s.image_task(i) for i in range(2, 5)])
        annotated = dict(s.image_task(9), annotations=[{"result": [s.rectangle(1)]}],
                         predictions=[{"model_version": "m1", "score": 0.5, "result": [s.rectangle(2)]}])
        self.post("tasks_import_annotated", path + "?return_task_ids=true", [annotated])
        rows = "image,caption\n" + "".join('https://example.com/csv/%d.jpg,"row %d, ""quoted"" ü"\n' % (i, i) for i in range(5))
        self.step("tasks_import_csv", lambda: self.ls.upload(path, "rows.csv", rows.encode(), "text/csv"))
        two = json.dumps([s.image_task(20), s.image_task(21)]).encode()
        upload = self.step("tasks_upload_uncommitted", lambda: self.ls.upload(path + "?commit_to_project=false", "two.json", two, "application/json"))
        self.post("tasks_reimport", "/api/projects/%d/reimport" % image, {"file_upload_ids": upload["file_upload_ids"], "files_as_tasks_list": False})
        self.storage(image)
        text_task = create("task_unicode", text, {"data": {"text": s.UNICODE}})
        long_task = create("task_text_1mib", text, {"data": {"text": ("Opossums 🐾 " * 90000)[: 1 << 20]}})
        audio_task = create("task_audio", audio, {"data": {"audio": "https://example.com/a.wav"}})
        many = [{"data": {"audio": "https://example.com/a/%06d.wav" % i, "note": "запись %d" % i}} for i in range(self.bulk)]
        self.post("tasks_import_bulk", "/api/projects/%d/import?return_task_ids=true" % audio, many)
        return task, text_task, long_task, audio_task

    def storage(self, project):
        folder = os.path.join(self.ls.folder, "local", "store")
        for i in range(3):
            with open(os.path.join(folder, "s%d.jpg" % i), "wb") as file:
                file.write(b"\xff\xd8\xff\xd9")
        storage = {"project": project, "path": folder, "regex_filter": ".*jpg", "use_blob_urls": True, "title": "local"}
        made = self.post("storage_create", "/api/storages/localfiles", storage)
        self.post("tasks_storage_sync", "/api/storages/localfiles/%d/sync" % made["id"])

    def annotations(self, task, text_task, long_task, audio_task):
        first = self.annotate("annotation_rectangles", task, [s.rectangle(1), s.rectangle(2)])
        self.annotate("annotation_polygon", task, [s.polygon()])
        self.annotate("annotation_brush", task, [s.brush()])
        self.annotate("annotation_mixed", task, [s.keypoint(), s.choices(), s.rating(), s.text_area("noted 📝")])
        self.annotate("annotation_empty", task, [])
        self.annotate("annotation_ground_truth", task, [s.rectangle(3)], ground_truth=True)
        self.annotate("annotation_entities", text_task, s.entities())
        self.annotate("annotation_long_text", long_task, [s.text_area("長" * 300000)])
        self.annotate("annotation_speech", audio_task, s.speech())
        self.post("annotation_skip_query", "/api/tasks/%d/annotations/?was_cancelled=1" % audio_task, {"result": []})
        skipped = self.annotate("annotation_skip_body", audio_task, [], was_cancelled=True)
        self.annotate("annotation_many_regions", task, [s.rectangle(i) for i in range(self.regions)])
        self.post("draft", "/api/tasks/%d/drafts" % task, {"result": [s.rectangle(7)], "lead_time": 1})
        path = "/api/annotations/%d/" % first
        self.patch("annotation_patch", path, {"result": [s.rectangle(1), s.rectangle(5)]})
        self.step("annotation_put", lambda: self.ls.api("PUT", path, {"result": [s.rectangle(6)], "task": task}))
        self.patch("annotation_patch_skipped", "/api/annotations/%d/?was_cancelled=1" % skipped, {"was_cancelled": True})
        self.patch("annotation_patch_ground_truth", path, {"ground_truth": True})
        return first

    def edges(self, project):
        for name, body, ok in s.edge_tasks(project):
            self.step("task_" + name, lambda: self.ls.raw("POST", "/api/tasks/", body), ok)

    def predictions(self, project, task, text_task):
        def predict(name, task, result):
            self.post(name, "/api/predictions/", {"task": task, "model_version": "m1", "score": 0.9, "result": result})

        predict("prediction", task, [s.rectangle(11)])
        predict("prediction_entities", text_task, s.entities()[:1])
        self.action("annotations_from_predictions", project, "predictions_to_annotations")

    def label_links(self, project):
        """1.23.2 answers 500 and rolls back when a webhook wants LABEL_LINK_CREATED: its sender is then called directly."""
        labels = [
            {"title": value, "value": [value], "project": project, "from_name": "tax"} for value in ("Mammal 🐾", "Птица")
        ]
        self.post("label_links", "/api/labels/", labels, OK + (500,))
        if self.steps[-1]["status"] == 500:
            self.ls.webhooks_active(False)
            self.ls.api("POST", "/api/labels/", labels)
            self.ls.webhooks_active(True)
            self.step("label_links_emitted", lambda: self.emit_label_links(project))
        links = self.ls.api("GET", "/api/label_links/?project=%d" % project)[1]["results"]
        path = "/api/label_links/%d/" % links[0]["id"]
        self.patch("label_link_patch", path, {"from_name": "ner"})
        self.delete("label_link_delete", path)

    def emit_label_links(self, project):
        """The real serializer and sender, from a second process of the same installation."""
        code = (
            "import os, sys, importlib.util as u; sys.path.insert(0, os.path.dirname(u.find_spec('label_studio').origin))\n"
            "os.environ['DJANGO_SETTINGS_MODULE'] = 'label_studio.core.settings.label_studio'; import django; django.setup()\n"
            "from labels_manager.models import LabelLink; from webhooks.utils import emit_webhooks_for_instance as emit\n"
            "links = list(LabelLink.objects.filter(project_id=%d).order_by('id')); p = links[0].project\n"
            "emit(p.organization, p, 'LABEL_LINK_CREATED', links)\n" % project
        )
        python = os.path.join(os.path.dirname(self.ls.program), "python")
        done = subprocess.run([python, "-c", code], env=self.ls.env, cwd=self.ls.folder, stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=self.ls.left(120))
        self.ls.seconds = 0.0  # a process start, not a call of the API
        return (200 if done.returncode == 0 else 599), done.stderr.decode("utf-8", "replace")[-300:]

    def ml_backend(self, project, task):
        url = urllib.parse.urlsplit(self.ml_url)
        backend = {
            "url": self.ml_url, "project": project, "title": "relay", "auth_method": "BASIC_AUTH",
            "basic_auth_user": url.username, "basic_auth_pass": url.password,
        }
        ml = self.post("ml_connect", "/api/ml/", backend)["id"]
        self.post("ml_train", "/api/ml/%d/train" % ml)
        self.step("ml_versions", lambda: self.ls.api("GET", "/api/ml/%d/versions" % ml))
        self.step("ml_predict_test", lambda: self.predict_for_any_task(ml))
        self.action("ml_predictions", project, "retrieve_tasks_predictions", all=False, included=[task])
        self.patch("ml_project_update", "/api/projects/%d/" % project, {"title": "Images v3"})
        self.annotate("ml_annotation", task, [s.rectangle(21)])
        self.delete("ml_disconnect", "/api/ml/%d" % ml)
        self.patch("ml_webhook_outlives_backend", "/api/projects/%d/" % project, {"title": "Images v4"})

    def predict_for_any_task(self, ml):
        """Label Studio picks a task at random, and cannot render two of them: a lone surrogate, an infinite
        number. It then answers 500, whatever the ML back end said; so the pick is repeated."""
        for _ in range(30):
            answer = self.ls.api("POST", "/api/ml/%d/predict/test?random=true" % ml, {})
            if answer[0] != 500:
                break
        return answer

    def deletions(self, image, text, audio, task, annotation):
        converted = self.annotate("annotation_to_convert", task, [s.rectangle(31)])
        self.post("annotation_to_draft", "/api/annotations/%d/convert-to-draft" % converted)
        self.delete("annotation_delete", "/api/annotations/%d/" % annotation)
        self.action("annotations_delete_all", image, "delete_tasks_annotations")
        self.action("annotations_delete_none", image, "delete_tasks_annotations")
        self.delete("task_delete", "/api/tasks/%d/" % task)
        self.action("tasks_delete", image, "delete_tasks")
        self.delete("tasks_delete_all", "/api/projects/%d/tasks/" % audio)
        self.delete("project_delete", "/api/projects/%d/" % image)
        self.delete("project_delete_with_tasks", "/api/projects/%d/" % text)
