# The service that the platforms deliver to. Everybody may call it: the platforms have no Google
# identity, and what they send is verified by its signature or secret.

resource "google_service_account" "relay" {
  account_id   = "${var.name}-relay"
  display_name = "labelrelay: takes deliveries"
}

resource "google_pubsub_topic_iam_member" "relay_publishes" {
  topic  = local.topic
  role   = "roles/pubsub.publisher"
  member = google_service_account.relay.member
}

# It says at its start when nobody subscribes to the topic.
resource "google_pubsub_topic_iam_member" "relay_sees_subscriptions" {
  topic  = local.topic
  role   = "roles/pubsub.viewer"
  member = google_service_account.relay.member
}

resource "google_storage_bucket_iam_member" "relay_claims" {
  bucket = local.claims_bucket
  role   = "roles/storage.objectCreator"
  member = google_service_account.relay.member
}

resource "google_storage_bucket_iam_member" "relay_falls_back" {
  # Traces are there, too.
  count  = var.fallback || local.reconcile ? 1 : 0
  bucket = local.fallback_bucket
  role   = "roles/storage.objectCreator"
  member = google_service_account.relay.member
}

resource "google_secret_manager_secret_iam_member" "relay_reads_labelbox" {
  for_each  = toset(var.labelbox ? ["roles/secretmanager.secretAccessor", "roles/secretmanager.viewer"] : [])
  secret_id = local.labelbox_secret
  # The viewer lists versions, which finds the newest two; the accessor reads them.
  role   = each.key
  member = google_service_account.relay.member
}

resource "google_secret_manager_secret_iam_member" "relay_reads_label_studio" {
  for_each  = toset(var.label_studio ? ["roles/secretmanager.secretAccessor", "roles/secretmanager.viewer"] : [])
  secret_id = local.label_studio_secret
  role      = each.key
  member    = google_service_account.relay.member
}

locals {
  queue = join("", [
    "pubsub://", split("/", local.topic)[1], "/", split("/", local.topic)[3],
    var.ordering ? "?ordering=partition" : "",
  ])
  proxies = var.trusted_proxies > 0 ? ["trusted_proxies = ${var.trusted_proxies}"] : []
  # docs/configuration.md lists what else may stand here, such as filters.
  config = join("\n", concat(
    var.labelbox ? concat([
      "[[source]]",
      "name = \"labelbox\"",
      "provider = \"labelbox\"",
      "secret = \"gcp-secretmanager:${local.labelbox_secret}\"",
      # Nothing pulls from Labelbox.
      "traces = false",
    ], local.proxies, length(var.labelbox_allowed_addresses) > 0 ? ["allow = ${jsonencode(var.labelbox_allowed_addresses)}"] : []) : [],
    var.label_studio ? concat([
      "[[source]]",
      "name = \"label-studio\"",
      "provider = \"label-studio\"",
      "secret = \"gcp-secretmanager:${local.label_studio_secret}\"",
      "ml_backend = ${var.label_studio_ml_backend}",
    ], local.proxies, length(var.label_studio_allowed_addresses) > 0 ? ["allow = ${jsonencode(var.label_studio_allowed_addresses)}"] : []) : [],
  ))
  # Behind a balancer, an allowlist believes what stands in X-Forwarded-For. Whoever called the service's own URL could
  # write anything there, so only the balancer may.
  balancer_alone = var.trusted_proxies > 1 && length(concat(var.labelbox_allowed_addresses, var.label_studio_allowed_addresses)) > 0
  ingress = {
    all      = local.balancer_alone ? "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER" : "INGRESS_TRAFFIC_ALL"
    balancer = "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"
    internal = "INGRESS_TRAFFIC_INTERNAL_ONLY"
  }[var.ingress]
  places = merge({
    LABELRELAY_QUEUE      = local.queue
    LABELRELAY_BLOB_STORE = "gs://${local.claims_bucket}/claims"
    LABELRELAY_LOG        = var.log_level
    GOOGLE_CLOUD_PROJECT  = var.project
    }, var.fallback ? {
    LABELRELAY_FALLBACK = "gs://${local.fallback_bucket}/fallback"
  } : {})
  # Where something pulls, a trace of each event tells it what need not be sent.
  traces = local.reconcile && var.traces ? { LABELRELAY_TRACES = "gs://${local.fallback_bucket}/${trimsuffix(local.traces_prefix, "/")}" } : {}
}

resource "google_cloud_run_v2_service" "relay" {
  name                 = var.name
  location             = var.region
  description          = "Verifies webhooks and publishes them."
  ingress              = local.ingress
  invoker_iam_disabled = true
  # Nothing is kept in it that a destroy could lose.
  deletion_protection = false
  template {
    service_account                  = google_service_account.relay.email
    max_instance_request_concurrency = 80
    # A body may take 30 s to arrive, its way to the queue 10 s.
    timeout = "60s"
    scaling {
      min_instance_count = var.min_instances
      max_instance_count = var.max_instances
    }
    containers {
      image = var.image
      ports {
        # HTTP/2 without TLS: with HTTP/1, Cloud Run refuses bodies over 32 MiB before they get here.
        name           = "h2c"
        container_port = 8080
      }
      resources {
        limits = {
          cpu    = "1"
          memory = var.memory
        }
        # Billed while requests are under way; after the answer there is no processor time to count on.
        cpu_idle          = true
        startup_cpu_boost = true
      }
      startup_probe {
        period_seconds    = 1
        timeout_seconds   = 1
        failure_threshold = 30
        http_get {
          path = "/-/ready"
        }
      }
      dynamic "env" {
        for_each = merge(local.places, local.traces, { LABELRELAY_CONFIG_TOML = local.config })
        content {
          name  = env.key
          value = env.value
        }
      }
    }
  }
  # An instance that may not read its secret yet would not start.
  depends_on = [
    google_project_service.needed,
    google_pubsub_subscription.events,
    google_pubsub_topic_iam_member.relay_publishes,
    google_storage_bucket_iam_member.relay_claims,
    google_storage_bucket_iam_member.relay_falls_back,
    google_secret_manager_secret_iam_member.relay_reads_labelbox,
    google_secret_manager_secret_iam_member.relay_reads_label_studio,
    google_secret_manager_secret_version.labelbox,
    google_secret_manager_secret_version.label_studio,
  ]
}

# Cloud Run keeps a line of its own for each request, and bills it. Of a flood of forged ones a hundredth is enough: the
# service tells of refusals itself, and the alerts count requests by a metric. A 429 is no refusal of the service.
resource "google_logging_project_exclusion" "refused_requests" {
  name        = "${var.name}-refused-requests"
  description = "99 of 100 lines of requests that the service refused"
  # Others of the project are not this module's.
  filter = join(" AND ", [
    "resource.type = \"cloud_run_revision\"",
    "resource.labels.service_name = \"${google_cloud_run_v2_service.relay.name}\"",
    "logName = \"projects/${var.project}/logs/run.googleapis.com%2Frequests\"",
    "httpRequest.status >= 400",
    "httpRequest.status < 500",
    "httpRequest.status != 429",
    "sample(insertId, 0.99)",
  ])
  depends_on = [google_project_service.needed]
}
