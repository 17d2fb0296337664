# The same image as a job: nobody outside can start it, and only it may read the fallback. It needs no
# source and no secret.

resource "google_service_account" "redrive" {
  count        = var.fallback ? 1 : 0
  account_id   = "${var.name}-redrive"
  display_name = "labelrelay: moves events from the fallback"
}

resource "google_pubsub_topic_iam_member" "redrive_publishes" {
  count  = var.fallback ? 1 : 0
  topic  = local.topic
  role   = "roles/pubsub.publisher"
  member = google_service_account.redrive[0].member
}

resource "google_storage_bucket_iam_member" "redrive_moves" {
  count  = var.fallback ? 1 : 0
  bucket = local.fallback_bucket
  role   = "roles/storage.objectUser"
  member = google_service_account.redrive[0].member
}

# An event that lies in the fallback because it is too large for Pub/Sub is claim-checked on its way.
resource "google_storage_bucket_iam_member" "redrive_claims" {
  count  = var.fallback ? 1 : 0
  bucket = local.claims_bucket
  role   = "roles/storage.objectCreator"
  member = google_service_account.redrive[0].member
}

resource "google_cloud_run_v2_job" "redrive" {
  count               = var.fallback ? 1 : 0
  name                = "${var.name}-redrive"
  location            = var.region
  deletion_protection = false
  template {
    template {
      service_account = google_service_account.redrive[0].email
      # The next run of the schedule is the retry.
      max_retries = 0
      timeout     = "600s"
      containers {
        image = var.image
        args  = ["redrive"]
        resources {
          limits = {
            cpu    = "1"
            memory = "512Mi"
          }
        }
        dynamic "env" {
          for_each = merge(local.places, local.traces)
          content {
            name  = env.key
            value = env.value
          }
        }
      }
    }
  }
  depends_on = [
    google_project_service.needed,
    google_pubsub_subscription.events,
    google_pubsub_topic_iam_member.redrive_publishes,
    google_storage_bucket_iam_member.redrive_moves,
    google_storage_bucket_iam_member.redrive_claims,
  ]
}

# It starts reconcile, the archive's jobs and the job that consumes too.
resource "google_service_account" "scheduler" {
  count        = var.fallback || local.reconcile || local.archive || local.consume_job ? 1 : 0
  account_id   = "${var.name}-scheduler"
  display_name = "labelrelay: starts jobs"
}

resource "google_cloud_run_v2_job_iam_member" "scheduler_starts" {
  count    = var.fallback ? 1 : 0
  name     = google_cloud_run_v2_job.redrive[0].name
  location = var.region
  role     = "roles/run.invoker"
  member   = google_service_account.scheduler[0].member
}

resource "google_cloud_scheduler_job" "redrive" {
  count       = var.fallback ? 1 : 0
  name        = "${var.name}-redrive"
  region      = var.region
  description = "Moves events from the fallback into Pub/Sub."
  schedule    = var.redrive_schedule
  http_target {
    http_method = "POST"
    uri         = "https://run.googleapis.com/v2/${google_cloud_run_v2_job.redrive[0].id}:run"
    oauth_token {
      service_account_email = google_service_account.scheduler[0].email
    }
  }
  depends_on = [google_project_service.needed]
}
