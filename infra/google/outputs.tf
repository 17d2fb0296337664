output "labelbox_url" {
  description = "URL to enter in Labelbox."
  value       = var.labelbox ? "${google_cloud_run_v2_service.relay.uri}/labelbox" : null
}

output "labelbox_secret_command" {
  description = "Prints the secret to enter in Labelbox."
  value       = var.labelbox ? "gcloud secrets versions access latest --project ${split("/", local.labelbox_secret)[1]} --secret ${split("/", local.labelbox_secret)[3]}" : null
}

output "label_studio_url" {
  description = "URL to enter in Label Studio."
  value       = var.label_studio ? "${google_cloud_run_v2_service.relay.uri}/label-studio" : null
}

output "label_studio_secret_command" {
  description = "Prints the secret to enter in Label Studio, in the header Authorization as Bearer SECRET."
  value       = var.label_studio ? "gcloud secrets versions access latest --project ${split("/", local.label_studio_secret)[1]} --secret ${split("/", local.label_studio_secret)[3]}" : null
}

output "topic" {
  description = "Where events are published."
  value       = local.topic
}

output "subscription" {
  description = "Where events come out."
  value       = local.make_topic ? google_pubsub_subscription.events[0].id : null
}

output "dead_letter_subscription" {
  description = "Messages that were delivered 5 times and never acknowledged."
  value       = local.make_topic ? google_pubsub_subscription.dead[0].id : null
}

output "claims_bucket" {
  description = "Holds bodies too large for Pub/Sub."
  value       = local.claims_bucket
}

output "fallback_bucket" {
  description = "Holds events that Pub/Sub did not take, and in ledger/ the ledger of what was fetched."
  value       = var.fallback || local.reconcile ? local.fallback_bucket : null
}

output "archive" {
  description = "URL of the archive, for --from."
  value       = local.archive ? local.archive_url : null
}
