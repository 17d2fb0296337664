# What all of it costs in a month. The tag is on everything that can have one (versions.tf), and shows in bills once
# somebody has activated it for them (docs/aws.md). Without that this sees no cost.

resource "aws_budgets_budget" "monthly" {
  count = var.alarm_topic_arn != "" && var.monthly_budget_usd != null ? 1 : 0
  # An account has its budgets' names for all regions.
  name         = "${var.name}-${local.region}"
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_amount = tostring(var.monthly_budget_usd)
  limit_unit   = "USD"
  cost_filter {
    name   = "TagKeyValue"
    values = [format("user:application$%s", var.name)]
  }
  notification {
    notification_type         = "ACTUAL"
    comparison_operator       = "GREATER_THAN"
    threshold                 = 100
    threshold_type            = "PERCENTAGE"
    subscriber_sns_topic_arns = [var.alarm_topic_arn]
  }
  notification {
    notification_type         = "FORECASTED"
    comparison_operator       = "GREATER_THAN"
    threshold                 = 100
    threshold_type            = "PERCENTAGE"
    subscriber_sns_topic_arns = [var.alarm_topic_arn]
  }
}
