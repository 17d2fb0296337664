# None of these metrics is written when there is nothing to count, so no data is good news, except where
# absence is what is watched.

locals {
  requests = "resource.type = \"cloud_run_revision\" AND resource.labels.service_name = \"${google_cloud_run_v2_service.relay.name}\" AND metric.type = \"run.googleapis.com/request_count\""
  counted = merge({
    unavailable = {
      says      = "deliveries were answered 5xx; Label Studio does not try again. The service's log says why."
      filter    = "${local.requests} AND metric.labels.response_code_class = \"5xx\""
      aligner   = "ALIGN_DELTA"
      threshold = 0
    }
    refused = {
      says      = "many requests were refused (4xx): forgeries, a wrong secret, or more at one time than max_instances take (429)."
      filter    = "${local.requests} AND metric.labels.response_code_class = \"4xx\""
      aligner   = "ALIGN_DELTA"
      threshold = var.refused_alarm_count
    }
    }, local.make_topic ? {
    dead-letters = {
      says      = "a consumer gave up on messages; they wait in the subscription of the dead letters, for 31 days."
      filter    = "resource.type = \"pubsub_subscription\" AND resource.labels.subscription_id = \"${google_pubsub_subscription.dead[0].name}\" AND metric.type = \"pubsub.googleapis.com/subscription/num_undelivered_messages\""
      aligner   = "ALIGN_MAX"
      threshold = 0
    }
    oldest-message = {
      says      = "a message has waited for ${var.oldest_message_alarm_seconds} s; it is gone after 31 days."
      filter    = "resource.type = \"pubsub_subscription\" AND resource.labels.subscription_id = \"${google_pubsub_subscription.events[0].name}\" AND metric.type = \"pubsub.googleapis.com/subscription/oldest_unacked_message_age\""
      aligner   = "ALIGN_MAX"
      threshold = var.oldest_message_alarm_seconds
    }
  } : {})
}

resource "google_monitoring_alert_policy" "counted" {
  for_each              = local.counted
  display_name          = "${var.name}: ${each.key}"
  combiner              = "OR"
  notification_channels = var.notification_channels
  conditions {
    display_name = each.key
    condition_threshold {
      filter          = each.value.filter
      comparison      = "COMPARISON_GT"
      threshold_value = each.value.threshold
      duration        = "0s"
      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = each.value.aligner
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }
  documentation {
    content = "${var.name}: ${each.value.says}"
  }
  depends_on = [google_project_service.needed]
}

# The number of waiting messages is told of every subscription, waiting or not. One that is gone tells nothing, and
# its topic takes events as before.
resource "google_monitoring_alert_policy" "subscription" {
  count                 = local.make_topic ? 1 : 0
  display_name          = "${var.name}: subscription"
  combiner              = "OR"
  notification_channels = var.notification_channels
  conditions {
    display_name = "nothing was heard of the subscription for three hours"
    condition_absent {
      filter   = "resource.type = \"pubsub_subscription\" AND resource.labels.subscription_id = \"${google_pubsub_subscription.events[0].name}\" AND metric.type = \"pubsub.googleapis.com/subscription/num_undelivered_messages\""
      duration = "10800s"
      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_MAX"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }
  documentation {
    content = "${var.name}: the topic has no subscription, so it keeps events for ${var.topic_retention_days} days and then nobody has them. Apply again, and set the new subscription back: gcloud pubsub subscriptions seek ${google_pubsub_subscription.events[0].name} --time TIME."
  }
  depends_on = [google_project_service.needed]
}

# The redrive fails as long as something stays in the fallback; and when it does not even run, nobody
# knows what is in it.
resource "google_monitoring_alert_policy" "fallback" {
  count                 = var.fallback ? 1 : 0
  display_name          = "${var.name}: fallback"
  combiner              = "OR"
  notification_channels = var.notification_channels
  conditions {
    display_name = "events stay in the fallback"
    condition_threshold {
      filter          = "resource.type = \"cloud_run_job\" AND resource.labels.job_name = \"${google_cloud_run_v2_job.redrive[0].name}\" AND metric.type = \"run.googleapis.com/job/completed_execution_count\" AND metric.labels.result = \"failed\""
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
    display_name = "the redrive did not run for three hours"
    condition_absent {
      filter   = "resource.type = \"cloud_run_job\" AND resource.labels.job_name = \"${google_cloud_run_v2_job.redrive[0].name}\" AND metric.type = \"run.googleapis.com/job/completed_execution_count\""
      duration = "10800s"
      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }
  documentation {
    content = "${var.name}: events are in the fallback and could not be moved into Pub/Sub, or nothing tried to. The job's log says why."
  }
  depends_on = [google_project_service.needed]
}
