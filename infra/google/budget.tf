# What all of it costs in a month. The label is on everything that can have one (versions.tf).

locals {
  budget = var.billing_account != "" && var.monthly_budget > 0
}

resource "google_billing_budget" "monthly" {
  count           = local.budget ? 1 : 0
  billing_account = var.billing_account
  display_name    = var.name
  budget_filter {
    projects = ["projects/${data.google_project.this.number}"]
    labels = {
      application = var.name
    }
  }
  amount {
    specified_amount {
      units = tostring(var.monthly_budget)
    }
  }
  threshold_rules {
    threshold_percent = 1
  }
  threshold_rules {
    threshold_percent = 1
    spend_basis       = "FORECASTED_SPEND"
  }
  dynamic "all_updates_rule" {
    for_each = length(var.notification_channels) > 0 ? [var.notification_channels] : []
    content {
      monitoring_notification_channels = all_updates_rule.value
    }
  }
  depends_on = [google_project_service.needed]
}
