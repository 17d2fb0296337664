# Events that Label Studio sent while nothing took them, fetched through its API on a schedule by `labelrelay pull`.
# Off unless an image is given. Nobody outside can start it, and it reads no webhook's secret: it only has to
# know the source's name.

locals {
  reconcile = var.reconcile_image != ""
  # In the bucket of the fallback, where nothing expires: without a ledger all of Label Studio would be sent again.
  ledger_prefix = "ledger/"
  # Beside it, where it may.
  traces_prefix = "traces/"
  # Cloud Run calls a secret of its own project by its last name.
  reconcile_token = trimprefix(var.reconcile_token, "projects/${var.project}/secrets/")
}

resource "google_service_account" "reconcile" {
  count        = local.reconcile ? 1 : 0
  account_id   = "${var.name}-reconcile"
  display_name = "labelrelay: fetches what was missed"
}

resource "google_pubsub_topic_iam_member" "reconcile_publishes" {
  count  = local.reconcile ? 1 : 0
  topic  = local.topic
  role   = "roles/pubsub.publisher"
  member = google_service_account.reconcile[0].member
}

resource "google_storage_bucket_iam_member" "reconcile_claims" {
  count  = local.reconcile ? 1 : 0
  bucket = local.claims_bucket
  role   = "roles/storage.objectCreator"
  member = google_service_account.reconcile[0].member
}

resource "google_storage_bucket_iam_member" "reconcile_keeps_its_ledger" {
  count  = local.reconcile ? 1 : 0
  bucket = local.fallback_bucket
  role   = "roles/storage.objectUser"
  member = google_service_account.reconcile[0].member
  condition {
    title = "the ledger and the traces alone"
    # Listing is asked of the bucket, with a prefix; everything else of an object.
    expression = join(" || ", [
      "resource.name.startsWith(\"projects/_/buckets/${local.fallback_bucket}/objects/${local.ledger_prefix}\")",
      "api.getAttribute(\"storage.googleapis.com/objectListPrefix\", \"\").startsWith(\"${local.ledger_prefix}\")",
      "resource.name.startsWith(\"projects/_/buckets/${local.fallback_bucket}/objects/${local.traces_prefix}\")",
      "api.getAttribute(\"storage.googleapis.com/objectListPrefix\", \"\").startsWith(\"${local.traces_prefix}\")",
    ])
  }
}

resource "google_secret_manager_secret_iam_member" "reconcile_reads_token" {
  count     = local.reconcile ? 1 : 0
  secret_id = var.reconcile_token
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.reconcile[0].member
}

resource "google_cloud_run_v2_job" "reconcile" {
  count               = local.reconcile ? 1 : 0
  name                = "${var.name}-reconcile"
  location            = var.region
  deletion_protection = false
  template {
    template {
      service_account = google_service_account.reconcile[0].email
      # The next run of the schedule is the retry.
      max_retries = 0
      # Cloud Run starts a second execution beside one that still runs, so this one is over by then. What it
      # did is in the ledger.
      timeout = "${var.reconcile_minutes * 60 - 60}s"
      containers {
        image = var.reconcile_image
        args  = ["pull", "label-studio", "--ledger", "gs://${local.fallback_bucket}/${trimsuffix(local.ledger_prefix, "/")}"]
        resources {
          limits = {
            cpu    = "1"
            memory = "512Mi"
          }
        }
        dynamic "env" {
          for_each = merge({ for name, value in local.places : name => value if name != "LABELRELAY_FALLBACK" }, local.traces, {
            LABELRELAY_CONFIG_TOML = local.config
            LABEL_STUDIO_URL       = var.reconcile_url
          })
          content {
            name  = env.key
            value = env.value
          }
        }
        env {
          name = "LABEL_STUDIO_API_KEY"
          value_source {
            secret_key_ref {
              secret = local.reconcile_token
              # Read at each start, so a token is changed by a new version alone.
              version = "latest"
            }
          }
        }
      }
    }
  }
  # A job whose secret cannot be read is refused.
  depends_on = [
    google_project_service.needed,
    google_pubsub_subscription.events,
    google_pubsub_topic_iam_member.reconcile_publishes,
    google_storage_bucket_iam_member.reconcile_claims,
    google_storage_bucket_iam_member.reconcile_keeps_its_ledger,
    google_secret_manager_secret_iam_member.reconcile_reads_token,
  ]
}

resource "google_cloud_run_v2_job_iam_member" "scheduler_starts_reconcile" {
  count    = local.reconcile ? 1 : 0
  name     = google_cloud_run_v2_job.reconcile[0].name
  location = var.region
  role     = "roles/run.invoker"
  member   = google_service_account.scheduler[0].member
}

resource "google_cloud_scheduler_job" "reconcile" {
  count       = local.reconcile ? 1 : 0
  name        = "${var.name}-reconcile"
  region      = var.region
  description = "Fetches what Label Studio sent while nothing took it."
  schedule    = var.reconcile_minutes == 60 ? "0 * * * *" : "*/${var.reconcile_minutes} * * * *"
  http_target {
    http_method = "POST"
    uri         = "https://run.googleapis.com/v2/${google_cloud_run_v2_job.reconcile[0].id}:run"
    oauth_token {
      service_account_email = google_service_account.scheduler[0].email
    }
  }
  depends_on = [google_project_service.needed]
}

resource "google_monitoring_alert_policy" "reconcile" {
  count                 = local.reconcile ? 1 : 0
  display_name          = "${var.name}: reconcile"
  combiner              = "OR"
  notification_channels = var.notification_channels
  conditions {
    display_name = "fetching what was missed failed"
    condition_threshold {
      filter          = "resource.type = \"cloud_run_job\" AND resource.labels.job_name = \"${google_cloud_run_v2_job.reconcile[0].name}\" AND metric.type = \"run.googleapis.com/job/completed_execution_count\" AND metric.labels.result = \"failed\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"
      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }
  conditions {
    display_name = "nothing was fetched for three hours"
    condition_absent {
      filter   = "resource.type = \"cloud_run_job\" AND resource.labels.job_name = \"${google_cloud_run_v2_job.reconcile[0].name}\" AND metric.type = \"run.googleapis.com/job/completed_execution_count\""
      duration = "10800s"
      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }
  documentation {
    content = "${var.name}: what Label Studio sent while nothing took it was not fetched, or not all of it, or nothing tried to. The job's log says why: the token, Label Studio, Pub/Sub, the time of a run, or a project that is no longer seen."
  }
  depends_on = [google_project_service.needed]
}

locals {
  # A run says so on a line of its own.
  silence = local.reconcile ? "resource.type = \"cloud_run_job\" AND resource.labels.job_name = \"${google_cloud_run_v2_job.reconcile[0].name}\" AND textPayload =~ \"^silence: \"" : ""
}

resource "google_logging_metric" "silent_runs" {
  count       = local.reconcile ? 1 : 0
  name        = "${var.name}-silent-runs"
  description = "Runs that found changes in a project from which nothing was delivered since the run before."
  filter      = local.silence
  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
  }
  depends_on = [google_project_service.needed]
}

# By the log and not by the metric: nobody may watch that for the first ten minutes.
resource "google_monitoring_alert_policy" "webhook_broken" {
  count                 = local.reconcile ? 1 : 0
  display_name          = "${var.name}: webhook-broken"
  combiner              = "OR"
  notification_channels = var.notification_channels
  conditions {
    display_name = "nothing was delivered from a project that changed"
    condition_matched_log {
      filter = local.silence
    }
  }
  alert_strategy {
    notification_rate_limit {
      period = "3600s"
    }
  }
  documentation {
    content = "${var.name}: Label Studio has changes in a project from which nothing was delivered since the last run. They were fetched; the webhook does not work, or there is none. The job's log names the project."
  }
  depends_on = [google_project_service.needed]
}
