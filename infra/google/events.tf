# Topic, subscriptions and buckets outlive a destroy unless keep_events is false: what was accepted and
# not consumed yet lies there.

data "google_project" "this" {
  depends_on = [google_project_service.needed]
}

resource "google_project_service" "needed" {
  for_each           = toset(concat(["run", "pubsub", "storage", "secretmanager", "cloudscheduler", "monitoring", "logging"], local.budget ? ["billingbudgets"] : []))
  service            = "${each.key}.googleapis.com"
  disable_on_destroy = false
}

locals {
  make_topic      = var.topic == ""
  deletion_policy = var.keep_events ? "ABANDON" : "DELETE"
  topic           = local.make_topic ? google_pubsub_topic.events[0].id : var.topic
  # The longest that a subscription keeps what is not acknowledged: 31 days.
  longest = "2678400s"
  # Pub/Sub moves dead letters itself, as this service agent.
  pubsub_agent = "serviceAccount:service-${data.google_project.this.number}@gcp-sa-pubsub.iam.gserviceaccount.com"
}

# A topic without a subscription takes every event and keeps none. So nothing publishes before there is one (depends_on
# of what publishes), an alert says when it is gone, and the topic itself keeps events for as long as that may take:
# a new subscription can be set back to then.
resource "google_pubsub_topic" "events" {
  #checkov:skip=CKV_GCP_83:encrypted with keys that Google manages, free of charge; kms_key is for a key of your own
  count                      = local.make_topic ? 1 : 0
  name                       = "${var.name}-events"
  kms_key_name               = var.kms_key
  message_retention_duration = var.topic_retention_days > 0 ? "${var.topic_retention_days * 86400}s" : null
  deletion_policy            = local.deletion_policy
  depends_on                 = [google_project_service.needed]
}

resource "google_pubsub_subscription" "events" {
  count                      = local.make_topic ? 1 : 0
  name                       = "${var.name}-events"
  topic                      = local.topic
  deletion_policy            = local.deletion_policy
  ack_deadline_seconds       = 300
  enable_message_ordering    = var.ordering
  message_retention_duration = local.longest
  # Without this a subscription that nobody pulls from for 31 days would be deleted, messages and all.
  expiration_policy {
    ttl = ""
  }
  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }
  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.dead[0].id
    max_delivery_attempts = 5
  }
  # Otherwise the first dead letters would not get away, or would go where nobody keeps them.
  depends_on = [
    google_pubsub_topic_iam_member.agent_publishes_dead_letters,
    google_pubsub_subscription.dead,
  ]
}

resource "google_pubsub_topic" "dead" {
  #checkov:skip=CKV_GCP_83:encrypted with keys that Google manages, free of charge; kms_key is for a key of your own
  count           = local.make_topic ? 1 : 0
  name            = "${var.name}-dead"
  kms_key_name    = var.kms_key
  deletion_policy = local.deletion_policy
  depends_on      = [google_project_service.needed]
}

resource "google_pubsub_subscription" "dead" {
  count                      = local.make_topic ? 1 : 0
  name                       = "${var.name}-dead"
  topic                      = google_pubsub_topic.dead[0].id
  deletion_policy            = local.deletion_policy
  ack_deadline_seconds       = 300
  message_retention_duration = local.longest
  expiration_policy {
    ttl = ""
  }
}

resource "google_pubsub_topic_iam_member" "agent_publishes_dead_letters" {
  count  = local.make_topic ? 1 : 0
  topic  = google_pubsub_topic.dead[0].id
  role   = "roles/pubsub.publisher"
  member = local.pubsub_agent
}

resource "google_pubsub_subscription_iam_member" "agent_acknowledges_dead_letters" {
  count        = local.make_topic ? 1 : 0
  subscription = google_pubsub_subscription.events[0].id
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub_agent
}

# For whatever consumes: the subscription, the dead letters, and the bodies that are too large for either.

resource "google_pubsub_subscription_iam_member" "consumers" {
  for_each     = toset(local.make_topic ? var.consumers : [])
  subscription = google_pubsub_subscription.events[0].id
  role         = "roles/pubsub.subscriber"
  member       = each.key
}

resource "google_pubsub_subscription_iam_member" "consumers_of_dead_letters" {
  for_each     = toset(local.make_topic ? var.consumers : [])
  subscription = google_pubsub_subscription.dead[0].id
  role         = "roles/pubsub.subscriber"
  member       = each.key
}

# `labelrelay.Consumer` looks whether there is a dead letter policy, and sends there what a handler rejects.

resource "google_pubsub_subscription_iam_member" "consumers_see_the_policy" {
  for_each     = toset(local.make_topic ? var.consumers : [])
  subscription = google_pubsub_subscription.events[0].id
  role         = "roles/pubsub.viewer"
  member       = each.key
}

resource "google_pubsub_topic_iam_member" "consumers_reject" {
  for_each = toset(local.make_topic ? var.consumers : [])
  topic    = google_pubsub_topic.dead[0].id
  role     = "roles/pubsub.publisher"
  member   = each.key
}

resource "google_storage_bucket_iam_member" "consumers" {
  for_each = toset(var.consumers)
  bucket   = local.claims_bucket
  role     = "roles/storage.objectViewer"
  member   = each.key
}
