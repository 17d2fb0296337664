# A program of yours that consumes, by the consumer in Python (`labelrelay.Consumer`). Off unless an image is given. It is
# a job on a schedule: it takes what is there, and ends when nothing comes any more. With consumer_always_on it is a
# worker pool instead, which never ends: consume_pool.tf. Nobody outside can start either.

locals {
  consume     = var.consumer_image != ""
  consume_job = local.consume && !var.consumer_always_on
  # Cloud Run calls a secret of its own project by its last name.
  consumer_state = trimprefix(var.consumer_state, "projects/${var.project}/secrets/")
  consumer_environment = local.consume ? merge(var.consumer_environment, {
    QUEUE                = "pubsub://${var.project}/${google_pubsub_subscription.events[0].name}"
    BLOB_STORE           = "gs://${local.claims_bucket}/claims"
    GOOGLE_CLOUD_PROJECT = var.project
  }) : {}
}

resource "google_service_account" "consume" {
  count        = local.consume ? 1 : 0
  account_id   = "${var.name}-consume"
  display_name = "labelrelay: consumes events"
}

# It looks whether there is a dead-letter policy, too.
resource "google_pubsub_subscription_iam_member" "consume_receives" {
  for_each     = toset(local.consume ? ["roles/pubsub.subscriber", "roles/pubsub.viewer"] : [])
  subscription = google_pubsub_subscription.events[0].id
  role         = each.key
  member       = google_service_account.consume[0].member
}

# What a handler rejects.
resource "google_pubsub_topic_iam_member" "consume_rejects" {
  count  = local.consume ? 1 : 0
  topic  = google_pubsub_topic.dead[0].id
  role   = "roles/pubsub.publisher"
  member = google_service_account.consume[0].member
}

resource "google_storage_bucket_iam_member" "consume_reads_claims" {
  count  = local.consume ? 1 : 0
  bucket = local.claims_bucket
  role   = "roles/storage.objectViewer"
  member = google_service_account.consume[0].member
}

resource "google_secret_manager_secret_iam_member" "consume_reads_state" {
  count     = local.consume ? 1 : 0
  secret_id = var.consumer_state
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.consume[0].member
}

resource "google_cloud_run_v2_job" "consume" {
  count               = local.consume_job ? 1 : 0
  name                = "${var.name}-consume"
  location            = var.region
  deletion_protection = false
  template {
    template {
      service_account = google_service_account.consume[0].email
      # The next run of the schedule is the retry.
      max_retries = 0
      # Two runs share what was handled, so that they may overlap; no more of them do.
      timeout = "${var.consumer_minutes * 120}s"
      containers {
        image = var.consumer_image
        resources {
          limits = {
            cpu    = "1"
            memory = "512Mi"
          }
        }
        dynamic "env" {
          for_each = local.consumer_environment
          content {
            name  = env.key
            value = env.value
          }
        }
        env {
          name = "STATE"
          value_source {
            secret_key_ref {
              secret  = local.consumer_state
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
    google_pubsub_subscription_iam_member.consume_receives,
    google_pubsub_topic_iam_member.consume_rejects,
    google_storage_bucket_iam_member.consume_reads_claims,
    google_secret_manager_secret_iam_member.consume_reads_state,
  ]
}

resource "google_cloud_run_v2_job_iam_member" "scheduler_starts_consume" {
  count    = local.consume_job ? 1 : 0
  name     = google_cloud_run_v2_job.consume[0].name
  location = var.region
  role     = "roles/run.invoker"
  member   = google_service_account.scheduler[0].member
}

resource "google_cloud_scheduler_job" "consume" {
  count       = local.consume_job ? 1 : 0
  name        = "${var.name}-consume"
  region      = var.region
  description = "Consumes the events that wait."
  schedule    = var.consumer_minutes == 60 ? "0 * * * *" : "*/${var.consumer_minutes} * * * *"
  http_target {
    http_method = "POST"
    uri         = "https://run.googleapis.com/v2/${google_cloud_run_v2_job.consume[0].id}:run"
    oauth_token {
      service_account_email = google_service_account.scheduler[0].email
    }
  }
  depends_on = [google_project_service.needed]
}

# What it does not consume waits, and the alert oldest-message hears that only after a day.
resource "google_monitoring_alert_policy" "consume" {
  count                 = local.consume_job ? 1 : 0
  display_name          = "${var.name}: consume"
  combiner              = "OR"
  notification_channels = var.notification_channels
  conditions {
    display_name = "a run of the consumer failed"
    condition_threshold {
      filter          = "resource.type = \"cloud_run_job\" AND resource.labels.job_name = \"${google_cloud_run_v2_job.consume[0].name}\" AND metric.type = \"run.googleapis.com/job/completed_execution_count\" AND metric.labels.result = \"failed\""
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
    display_name = "the consumer did not run for three hours"
    condition_absent {
      filter   = "resource.type = \"cloud_run_job\" AND resource.labels.job_name = \"${google_cloud_run_v2_job.consume[0].name}\" AND metric.type = \"run.googleapis.com/job/completed_execution_count\""
      duration = "10800s"
      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }
  documentation {
    content = "${var.name}: the program that consumes did not start, ended with an error, took longer than two of its intervals, or nothing started it. Its events wait in the subscription. The job's log says why."
  }
  depends_on = [google_project_service.needed]
}
