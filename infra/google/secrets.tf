# Generated here and never written to the state or a plan: random_password is ephemeral, secret_data_wo
# write-only. Raising the number makes a new version; the one before is left enabled, and the relay
# takes the newest two.

locals {
  make_labelbox_secret     = var.labelbox && var.labelbox_secret == ""
  make_label_studio_secret = var.label_studio && var.label_studio_secret == ""
  labelbox_secret          = local.make_labelbox_secret ? google_secret_manager_secret.labelbox[0].id : var.labelbox_secret
  label_studio_secret      = local.make_label_studio_secret ? google_secret_manager_secret.label_studio[0].id : var.label_studio_secret
}

ephemeral "random_password" "labelbox" {
  length = 40
  # Letters and digits alone: every platform's form and every shell takes them.
  special = false
}

ephemeral "random_password" "label_studio" {
  length  = 40
  special = false
}

resource "google_secret_manager_secret" "labelbox" {
  count           = local.make_labelbox_secret ? 1 : 0
  secret_id       = "${var.name}-labelbox"
  deletion_policy = local.deletion_policy
  replication {
    auto {}
  }
  depends_on = [google_project_service.needed]
}

resource "google_secret_manager_secret_version" "labelbox" {
  count                  = local.make_labelbox_secret ? 1 : 0
  secret                 = google_secret_manager_secret.labelbox[0].id
  secret_data_wo         = ephemeral.random_password.labelbox.result
  secret_data_wo_version = var.labelbox_secret_version
  deletion_policy        = "ABANDON"
  lifecycle {
    create_before_destroy = true
  }
}

resource "google_secret_manager_secret" "label_studio" {
  count           = local.make_label_studio_secret ? 1 : 0
  secret_id       = "${var.name}-label-studio"
  deletion_policy = local.deletion_policy
  replication {
    auto {}
  }
  depends_on = [google_project_service.needed]
}

resource "google_secret_manager_secret_version" "label_studio" {
  count                  = local.make_label_studio_secret ? 1 : 0
  secret                 = google_secret_manager_secret.label_studio[0].id
  secret_data_wo         = ephemeral.random_password.label_studio.result
  secret_data_wo_version = var.label_studio_secret_version
  deletion_policy        = "ABANDON"
  lifecycle {
    create_before_destroy = true
  }
}
