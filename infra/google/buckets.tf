# Two buckets, because permissions and lifecycles differ: claims expire and are read by consumers; what
# lies in the fallback is all there is of an event, and only the redrive reads it. Beside it, below ledger/,
# lies what reconcile remembers, below traces/ what it need not send.

locals {
  claims_bucket   = var.claims_bucket == "" ? google_storage_bucket.claims[0].name : var.claims_bucket
  make_fallback   = (var.fallback || local.reconcile) && var.fallback_bucket == ""
  fallback_bucket = local.make_fallback ? google_storage_bucket.fallback[0].name : var.fallback_bucket
  # Names of buckets are of the whole world; the project's number makes them this project's.
  bucket_prefix = "${var.name}-${data.google_project.this.number}"
}

resource "google_storage_bucket" "claims" {
  #checkov:skip=CKV_GCP_62:access logs need a further bucket; what is in this one is read through a subscription that is watched
  #checkov:skip=CKV_GCP_78:objects are written once, under their digest, and never again; versions would keep what has expired
  count                       = var.claims_bucket == "" ? 1 : 0
  name                        = "${local.bucket_prefix}-claims"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  deletion_policy             = local.deletion_policy
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age = var.claim_retention_days
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

resource "google_storage_bucket" "fallback" {
  #checkov:skip=CKV_GCP_62:access logs need a further bucket; only the redrive and reconcile read this one
  #checkov:skip=CKV_GCP_78:objects are written once and removed when nothing needs them; soft delete keeps them for a week after that
  count                       = local.make_fallback ? 1 : 0
  name                        = "${local.bucket_prefix}-fallback"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  deletion_policy             = local.deletion_policy
  soft_delete_policy {
    retention_duration_seconds = 604800
  }
  # No rule deletes anything here but traces of which no run took notice: a trace that is gone gives a repeat.
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age            = 7
      matches_prefix = ["traces/"]
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
