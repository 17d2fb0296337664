# The same program, but all the time: a worker pool of Cloud Run with one instance. It pulls, so it needs no port and has
# no URL. Cloud Run starts it again when it ends.

locals {
  consume_pool = local.consume && var.consumer_always_on
}

resource "google_cloud_run_v2_worker_pool" "consume" {
  count               = local.consume_pool ? 1 : 0
  name                = "${var.name}-consume"
  location            = var.region
  deletion_protection = false
  scaling {
    manual_instance_count = 1
  }
  template {
    service_account = google_service_account.consume[0].email
    # Bills know a worker pool by these labels alone, and not by those of the provider.
    labels = { application = var.name }
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
            secret = local.consumer_state
            # Read at each start of an instance.
            version = "latest"
          }
        }
      }
    }
  }
  # A pool whose secret cannot be read is refused.
  depends_on = [
    google_project_service.needed,
    google_pubsub_subscription_iam_member.consume_receives,
    google_pubsub_topic_iam_member.consume_rejects,
    google_storage_bucket_iam_member.consume_reads_claims,
    google_secret_manager_secret_iam_member.consume_reads_state,
  ]
}

locals {
  of_consume_pool = local.consume_pool ? "resource.type = \"cloud_run_worker_pool\" AND resource.labels.worker_pool_name = \"${google_cloud_run_v2_worker_pool.consume[0].name}\"" : ""
}

# One that runs and takes nothing is found by what waits.
resource "google_monitoring_alert_policy" "consume_pool" {
  count                 = local.consume_pool ? 1 : 0
  display_name          = "${var.name}: consume"
  combiner              = "OR"
  notification_channels = var.notification_channels
  conditions {
    display_name = "an event has waited for an hour"
    condition_threshold {
      filter          = "resource.type = \"pubsub_subscription\" AND resource.labels.subscription_id = \"${google_pubsub_subscription.events[0].name}\" AND metric.type = \"pubsub.googleapis.com/subscription/oldest_unacked_message_age\""
      comparison      = "COMPARISON_GT"
      threshold_value = 3600
      duration        = "0s"
      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_MAX"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }
  conditions {
    display_name = "no instance of the consumer ran for ten minutes"
    condition_threshold {
      filter          = "${local.of_consume_pool} AND metric.type = \"run.googleapis.com/container/instance_count\""
      comparison      = "COMPARISON_LT"
      threshold_value = 1
      duration        = "600s"
      # Without an instance this metric is 0 at first, and then nothing is heard of it.
      evaluation_missing_data = "EVALUATION_MISSING_DATA_ACTIVE"
      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_MAX"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }
  documentation {
    content = "${var.name}: the program that consumes does not run, or does not keep up, or an event comes again and again. Events wait in the subscription. The worker pool's log says why."
  }
  depends_on = [google_project_service.needed]
}

# What Cloud Run itself writes when a program ends with an error. One that ends well is started again, and takes what
# waits. Such a condition stands alone in its policy.
resource "google_monitoring_alert_policy" "consume_crashed" {
  count                 = local.consume_pool ? 1 : 0
  display_name          = "${var.name}: consume-crashed"
  combiner              = "OR"
  notification_channels = var.notification_channels
  conditions {
    display_name = "the consumer ended with an error"
    condition_matched_log {
      filter = "${local.of_consume_pool} AND logName = \"projects/${var.project}/logs/run.googleapis.com%2Fvarlog%2Fsystem\" AND textPayload =~ \"^(Container called exit\\([1-9]|Container terminated on signal|Memory limit of)\""
    }
  }
  alert_strategy {
    notification_rate_limit {
      period = "3600s"
    }
  }
  documentation {
    content = "${var.name}: the program that consumes ended with an error, was killed, or used more than its 512 MiB. Cloud Run starts it again; what it did not acknowledge comes again. The lines before this one in the worker pool's log say why."
  }
  depends_on = [google_project_service.needed]
}
