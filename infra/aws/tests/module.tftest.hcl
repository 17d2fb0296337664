# `terraform test`, without an account: what the variables make. It plans and makes nothing.

mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = {
      partition  = "aws"
      dns_suffix = "amazonaws.com"
    }
  }
  mock_data "aws_region" {
    defaults = { region = "eu-central-1" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
}

variables {
  # Any file: nothing is deployed.
  package = "versions.tf"
}

run "without_settings" {
  command = plan

  assert {
    condition     = length(aws_lambda_function_url.relay) == 1 && length(aws_apigatewayv2_api.this) == 0 && length(aws_api_gateway_rest_api.this) == 0
    error_message = "There is one front door, the function URL."
  }
  assert {
    condition     = length(aws_sqs_queue.events) == 1 && length(aws_s3_bucket.events) == 1 && length(aws_lambda_function.redrive) == 1
    error_message = "Queue, bucket and redrive are made."
  }
  assert {
    condition     = length(aws_cloudwatch_metric_alarm.counted) == 9 && length(aws_cloudwatch_metric_alarm.oversized_body) == 1
    error_message = "There are ten alarms."
  }
  assert {
    condition     = aws_lambda_function.relay.timeout == 15 && aws_lambda_function.relay.memory_size == 256 && aws_lambda_function.relay.architectures == tolist(["arm64"])
    error_message = "The function is as it was measured."
  }
  assert {
    condition     = aws_lambda_function_event_invoke_config.redrive[0].maximum_retry_attempts == 0
    error_message = "No two redrives run at once."
  }
  assert {
    condition     = alltrue([for rule in aws_s3_bucket_lifecycle_configuration.events[0].rule : contains(["claims/", "traces/"], rule.filter[0].prefix) if length(rule.expiration) > 0])
    error_message = "Nothing expires but claims and traces."
  }
}

run "what_is_brought_is_not_made" {
  command = plan

  variables {
    queue_arn               = "arn:aws:sqs:eu-central-1:123456789012:mine.fifo"
    bucket_arn              = "arn:aws:s3:::mine"
    labelbox_secret_arn     = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:one"
    label_studio_secret_arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:other"
  }

  assert {
    condition     = length(aws_sqs_queue.events) + length(aws_s3_bucket.events) + length(aws_secretsmanager_secret.labelbox) + length(aws_secretsmanager_secret.label_studio) == 0
    error_message = "Queue, bucket and secrets are yours."
  }
  assert {
    condition     = aws_lambda_function.relay.environment[0].variables.LABELRELAY_QUEUE == "https://sqs.eu-central-1.amazonaws.com/123456789012/mine.fifo"
    error_message = "The function sends to your queue."
  }
}

run "an_api_in_front" {
  command = plan

  variables {
    front_door            = "RestApi"
    api_allowed_addresses = ["192.0.2.7"]
    requests_per_second   = 100
  }

  assert {
    condition     = length(aws_lambda_function_url.relay) == 0 && length(aws_api_gateway_rest_api_policy.this) == 1
    error_message = "The function has no URL, and the API refuses addresses."
  }
  assert {
    condition     = aws_api_gateway_rest_api.this[0].binary_media_types == tolist(["*/*"])
    error_message = "Bodies are handed over as bytes."
  }
}

run "a_domain_is_the_only_address" {
  command = plan

  variables {
    front_door      = "RestApi"
    domain_name     = "hooks.example.com"
    certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/mine"
  }

  assert {
    condition     = aws_api_gateway_rest_api.this[0].disable_execute_api_endpoint
    error_message = "Nobody gets past the domain."
  }
}

run "only_a_rest_api_refuses_addresses" {
  command = plan

  variables {
    front_door            = "HttpApi"
    api_allowed_addresses = ["192.0.2.7"]
  }

  expect_failures = [var.api_allowed_addresses]
}

run "a_domain_needs_an_api_and_a_certificate" {
  command = plan

  variables {
    domain_name = "hooks.example.com"
  }

  expect_failures = [var.domain_name]
}

run "a_platform_is_needed" {
  command = plan

  variables {
    labelbox     = false
    label_studio = false
  }

  expect_failures = [var.label_studio]
}
