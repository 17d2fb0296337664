# An archive of every event, by a subscription of its own: what consumers do with theirs does not matter to it. A job
# takes the events out of it on a schedule, another one puts the small files together once a day. Off unless an image is
# given. docs/archive.md says what is in it.

locals {
  archive        = var.archive_image != ""
  archive_bucket = local.archive ? (var.archive_bucket == "" ? google_storage_bucket.archive[0].name : var.archive_bucket) : ""
  archive_url    = "gs://${local.archive_bucket}/archive"
}

resource "google_storage_bucket" "archive" {
  #checkov:skip=CKV_GCP_62:access logs need a further bucket; the readers of this one are named by archive_readers
  #checkov:skip=CKV_GCP_78:a file is replaced only to forget an author, whom versions would keep
  count                       = local.archive && var.archive_bucket == "" ? 1 : 0
  name                        = "${local.bucket_prefix}-archive"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  deletion_policy             = local.deletion_policy
  # What was forgotten is gone at once.
  soft_delete_policy {
    retention_duration_seconds = 0
  }
  dynamic "lifecycle_rule" {
    for_each = var.archive_retention_days > 0 ? [var.archive_retention_days] : []
    content {
      action {
        type = "Delete"
      }
      condition {
        age            = lifecycle_rule.value
        matches_prefix = ["archive/source="]
      }
    }
  }
  lifecycle_rule {
    action {
      type = "AbortIncompleteMultipartUpload"
    }
    condition {
      age = 1
    }
  }
  dynamic "encryption" {
    for_each = var.kms_key[*]
    content {
      default_kms_key_name = encryption.value
    }
  }
  depends_on = [google_project_service.needed]
}

# No dead letters by number of deliveries: an archive out of reach would make them of all events.
resource "google_pubsub_subscription" "archive" {
  count                      = local.archive ? 1 : 0
  name                       = "${var.name}-archive"
  topic                      = local.topic
  deletion_policy            = local.deletion_policy
  ack_deadline_seconds       = 600
  message_retention_duration = local.longest
  expiration_policy {
    ttl = ""
  }
}

resource "google_service_account" "archive" {
  count        = local.archive ? 1 : 0
  account_id   = "${var.name}-archive"
  display_name = "labelrelay: writes the archive"
}

resource "google_pubsub_subscription_iam_member" "archive_receives" {
  for_each     = toset(local.archive ? ["roles/pubsub.subscriber", "roles/pubsub.viewer"] : [])
  subscription = google_pubsub_subscription.archive[0].id
  role         = each.key
  member       = google_service_account.archive[0].member
}

resource "google_pubsub_topic_iam_member" "archive_rejects" {
  count  = local.archive ? 1 : 0
  topic  = google_pubsub_topic.dead[0].id
  role   = "roles/pubsub.publisher"
  member = google_service_account.archive[0].member
}

resource "google_storage_bucket_iam_member" "archive_writes" {
  count  = local.archive ? 1 : 0
  bucket = local.archive_bucket
  role   = "roles/storage.objectUser"
  member = google_service_account.archive[0].member
}

resource "google_storage_bucket_iam_member" "archive_readers" {
  for_each = toset(local.archive ? var.archive_readers : [])
  bucket   = local.archive_bucket
  role     = "roles/storage.objectViewer"
  member   = each.key
}

locals {
  archive_jobs = { for name, job in {
    archive = {
      says     = "Writes the events of the last minutes into the archive."
      schedule = var.archive_minutes == 60 ? "0 * * * *" : "*/${var.archive_minutes} * * * *"
      # It is over before the next one begins: that finds what is left.
      timeout = "${var.archive_minutes * 60 - 60}s"
      args = [
        "archive", "write", local.archive_url,
        "--queue", "pubsub://${var.project}/${var.name}-archive",
        "--dead-letter", "pubsub://${var.project}/${var.name}-dead",
      ]
    }
    compact = {
      says     = "Puts the small files of the archive together."
      schedule = "30 0 * * *"
      timeout  = "3600s"
      args     = ["archive", "compact", local.archive_url]
    }
  } : name => job if local.archive }
}

resource "google_cloud_run_v2_job" "archive" {
  for_each            = local.archive_jobs
  name                = "${var.name}-${each.key}"
  location            = var.region
  deletion_protection = false
  template {
    template {
      service_account = google_service_account.archive[0].email
      # The next run of the schedule is the retry.
      max_retries = 0
      timeout     = each.value.timeout
      containers {
        image = var.archive_image
        args  = each.value.args
        resources {
          limits = {
            cpu    = "1"
            memory = "1Gi"
          }
        }
        env {
          name  = "LABELRELAY_LOG"
          value = var.log_level
        }
        env {
          name  = "GOOGLE_CLOUD_PROJECT"
          value = var.project
        }
      }
    }
  }
  depends_on = [
    google_project_service.needed,
    google_pubsub_subscription.events,
    google_pubsub_subscription.dead,
    google_pubsub_subscription_iam_member.archive_receives,
    google_pubsub_topic_iam_member.archive_rejects,
    google_storage_bucket_iam_member.archive_writes,
  ]
}

resource "google_cloud_run_v2_job_iam_member" "scheduler_starts_archive" {
  for_each = local.archive_jobs
  name     = google_cloud_run_v2_job.archive[each.key].name
  location = var.region
  role     = "roles/run.invoker"
  member   = google_service_account.scheduler[0].member
}

resource "google_cloud_scheduler_job" "archive" {
  for_each    = local.archive_jobs
  name        = "${var.name}-${each.key}"
  region      = var.region
  description = each.value.says
  schedule    = each.value.schedule
  http_target {
    http_method = "POST"
    uri         = "https://run.googleapis.com/v2/${google_cloud_run_v2_job.archive[each.key].id}:run"
    oauth_token {
      service_account_email = google_service_account.scheduler[0].email
    }
  }
  depends_on = [google_project_service.needed]
}

resource "google_monitoring_alert_policy" "archive" {
  count                 = local.archive ? 1 : 0
  display_name          = "${var.name}: archive"
  combiner              = "OR"
  notification_channels = var.notification_channels
  conditions {
    display_name = "writing the archive failed"
    condition_threshold {
      filter          = "resource.type = \"cloud_run_job\" AND resource.labels.job_name = \"${google_cloud_run_v2_job.archive["archive"].name}\" AND metric.type = \"run.googleapis.com/job/completed_execution_count\" AND metric.labels.result = \"failed\""
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
    display_name = "nothing was archived for three hours"
    condition_absent {
      filter   = "resource.type = \"cloud_run_job\" AND resource.labels.job_name = \"${google_cloud_run_v2_job.archive["archive"].name}\" AND metric.type = \"run.googleapis.com/job/completed_execution_count\""
      duration = "10800s"
      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }
  documentation {
    content = "${var.name}: events are not archived, or nothing tried to. They wait in the subscription ${var.name}-archive, for 31 days. The job's log says why."
  }
  depends_on = [google_project_service.needed]
}

# Nothing is lost by it, so it has an alert of its own, which says so.
resource "google_monitoring_alert_policy" "compact" {
  count                 = local.archive ? 1 : 0
  display_name          = "${var.name}: compact"
  combiner              = "OR"
  notification_channels = var.notification_channels
  conditions {
    display_name = "putting small files together failed"
    condition_threshold {
      filter          = "resource.type = \"cloud_run_job\" AND resource.labels.job_name = \"${google_cloud_run_v2_job.archive["compact"].name}\" AND metric.type = \"run.googleapis.com/job/completed_execution_count\" AND metric.labels.result = \"failed\""
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
    display_name = "no small files were put together for 25 hours"
    # It runs once a day, and a condition of absence looks back for 23.5 hours at most. This one looks back for 25 hours at
    # most: the period and the duration together.
    condition_threshold {
      filter                  = "resource.type = \"cloud_run_job\" AND resource.labels.job_name = \"${google_cloud_run_v2_job.archive["compact"].name}\" AND metric.type = \"run.googleapis.com/job/completed_execution_count\""
      comparison              = "COMPARISON_LT"
      threshold_value         = 1
      duration                = "3600s"
      evaluation_missing_data = "EVALUATION_MISSING_DATA_ACTIVE"
      aggregations {
        alignment_period     = "86400s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }
  documentation {
    content = "${var.name}: the small files of the archive are not put together. Nothing is lost; reading the archive takes more requests each day. The log of the job ${var.name}-compact says why, or its schedule is gone."
  }
  depends_on = [google_project_service.needed]
}
