# Most of these metrics are not written when there is nothing to count, so no data is good news, except where absence
# is the fault. docs/aws.md says what makes each ring.

locals {
  alarm_actions = var.alarm_topic_arn == "" ? null : [var.alarm_topic_arn]

  # What counts answers: the URL's metrics are the function's, an API's are its own.
  door_namespace = local.with_url ? "AWS/Lambda" : "AWS/ApiGateway"
  door_metrics = {
    FunctionUrl = { "4xx" = "Url4xxCount", "5xx" = "Url5xxCount" }
    HttpApi     = { "4xx" = "4xx", "5xx" = "5xx" }
    RestApi     = { "4xx" = "4XXError", "5xx" = "5XXError" }
  }[var.front_door]
  door_dimensions = (
    local.with_url ? { FunctionName = aws_lambda_function.relay.function_name } :
    local.with_http_api ? { ApiId = aws_apigatewayv2_api.this[0].id } :
    { ApiName = aws_api_gateway_rest_api.this[0].name }
  )
  relay_dimensions   = { FunctionName = aws_lambda_function.relay.function_name }
  redrive_dimensions = { FunctionName = one(aws_lambda_function.redrive[*].function_name) }

  # Unless it says otherwise, an alarm rings at the first one within five minutes.
  counted = merge({
    unavailable = {
      says       = "deliveries were answered 5xx; Label Studio does not try again."
      namespace  = local.door_namespace
      metric     = local.door_metrics["5xx"]
      dimensions = local.door_dimensions
    }
    errors = {
      says       = "the function failed, at its start or by its time limit. Its log says why."
      namespace  = "AWS/Lambda"
      metric     = "Errors"
      dimensions = local.relay_dimensions
    }
    throttles = {
      says       = "deliveries were refused for want of concurrency."
      namespace  = "AWS/Lambda"
      metric     = "Throttles"
      dimensions = local.relay_dimensions
    }
    refused = {
      says       = "many requests were refused (4xx): forgeries, or a wrong secret."
      namespace  = local.door_namespace
      metric     = local.door_metrics["4xx"]
      dimensions = local.door_dimensions
      comparison = "GreaterThanThreshold"
      threshold  = var.refused_alarm_count
    }
    oldest-message = {
      says       = "a message has waited for ${var.oldest_message_alarm_seconds} s; it is gone after 14 days."
      namespace  = "AWS/SQS"
      metric     = "ApproximateAgeOfOldestMessage"
      dimensions = { QueueName = local.queue_name }
      statistic  = "Maximum"
      threshold  = var.oldest_message_alarm_seconds
    }
    }, local.with_dead_letters ? {
    dead-letters = {
      says       = "a consumer gave up on messages; they are in the dead-letter queue."
      namespace  = "AWS/SQS"
      metric     = "ApproximateNumberOfMessagesVisible"
      dimensions = { QueueName = local.dead_letter_queue_name }
      statistic  = "Maximum"
    }
    } : {}, { for name, alarm in {
      fallback = {
        says       = "events are in the fallback and could not be moved into the queue."
        namespace  = "labelrelay"
        metric     = "FallbackLeft"
        dimensions = local.redrive_dimensions
        statistic  = "Maximum"
      }
      redrive-errors = {
        says       = "moving events from the fallback into the queue failed."
        namespace  = "AWS/Lambda"
        metric     = "Errors"
        dimensions = local.redrive_dimensions
      }
      # Nobody knows what is in the fallback if nothing looks. It rings until the first run.
      redrive-silent = {
        says       = "nothing tried to empty the fallback for 15 minutes. Its schedule, or the permission to start it, is gone."
        namespace  = "AWS/Lambda"
        metric     = "Invocations"
        dimensions = local.redrive_dimensions
        period     = 900
        comparison = "LessThanThreshold"
        missing    = "breaching"
      }
  } : name => alarm if var.fallback })
}

resource "aws_cloudwatch_metric_alarm" "counted" {
  for_each            = local.counted
  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "${var.name}: ${each.value.says}"
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = try(each.value.statistic, "Sum")
  period              = try(each.value.period, 300)
  evaluation_periods  = 1
  comparison_operator = try(each.value.comparison, "GreaterThanOrEqualToThreshold")
  threshold           = try(each.value.threshold, 1)
  treat_missing_data  = try(each.value.missing, "notBreaching")
  alarm_actions       = local.alarm_actions
}

# What AWS refuses itself never reaches the function, whose own refusals are counted by the function. AWS may count a
# request in one period and the function in the next: that is 1 too many, then 1 too few. So it adds two periods up,
# since DIFF gives the one before, and rings if that is too many twice, which only what AWS refused is. The oldest of
# the three has nothing before it. A REST API answers 4xx to every stranger who asks for what it has not.
resource "aws_cloudwatch_metric_alarm" "oversized_body" {
  count             = var.oversized_alarm && !local.with_rest_api ? 1 : 0
  alarm_name        = "${var.name}-oversized-body"
  alarm_description = "${var.name}: AWS refused a request before the function saw it, as it does with payloads over 6 MB. That event is lost."
  metric_query {
    id          = "both"
    label       = "Refused by AWS in two periods"
    expression  = "2 * unseen - DIFF(unseen)"
    return_data = true
  }
  metric_query {
    id = "unseen"
    # What Lambda throttles is 4xx at a function URL, and 5xx behind an API.
    expression  = local.with_url ? "FILL(answered, 0) - FILL(ours, 0) - FILL(throttled, 0)" : "FILL(answered, 0) - FILL(ours, 0) - 0 * FILL(throttled, 0)"
    return_data = false
  }
  metric_query {
    id          = "answered"
    return_data = false
    metric {
      stat        = "Sum"
      period      = 300
      namespace   = local.door_namespace
      metric_name = local.door_metrics["4xx"]
      dimensions  = local.door_dimensions
    }
  }
  metric_query {
    id          = "ours"
    return_data = false
    metric {
      stat        = "Sum"
      period      = 300
      namespace   = "labelrelay"
      metric_name = "Refused"
      dimensions  = local.relay_dimensions
    }
  }
  metric_query {
    id          = "throttled"
    return_data = false
    metric {
      stat        = "Sum"
      period      = 300
      namespace   = "AWS/Lambda"
      metric_name = "Throttles"
      dimensions  = local.relay_dimensions
    }
  }
  evaluation_periods  = 3
  datapoints_to_alarm = 2
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.alarm_actions
}
