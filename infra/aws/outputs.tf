output "labelbox_url" {
  description = "URL to enter in Labelbox."
  value       = var.labelbox ? "${local.base_url}labelbox" : null
}

output "labelbox_secret_arn" {
  description = "The secret of Labelbox."
  value       = var.labelbox ? local.labelbox_secret_arn : null
}

output "labelbox_secret_command" {
  description = "Prints the secret to enter in Labelbox."
  value       = var.labelbox ? "aws secretsmanager get-secret-value --region ${local.region} --secret-id '${local.labelbox_secret_arn}' --query SecretString --output text" : null
}

output "label_studio_url" {
  description = "URL to enter in Label Studio."
  value       = var.label_studio ? "${local.base_url}label-studio" : null
}

output "label_studio_secret_arn" {
  description = "The secret of Label Studio."
  value       = var.label_studio ? local.label_studio_secret_arn : null
}

output "label_studio_secret_command" {
  description = "Prints the secret to enter in Label Studio, in the header Authorization as Bearer SECRET."
  value       = var.label_studio ? "aws secretsmanager get-secret-value --region ${local.region} --secret-id '${local.label_studio_secret_arn}' --query SecretString --output text" : null
}

output "domain_target" {
  description = "Enter it in your DNS as the target (CNAME) of domain_name."
  value       = one([for domain in aws_apigatewayv2_domain_name.this : domain.domain_name_configuration[0].target_domain_name])
}

output "api_log_group" {
  description = "Lines of the API, one for each request."
  value       = one(aws_cloudwatch_log_group.api[*].name)
}

output "queue_url" {
  description = "URL of the queue that events come out of."
  value       = local.queue_url
}

output "dead_letter_queue_url" {
  description = "Messages that were received 5 times and never deleted."
  value       = one(aws_sqs_queue.dead[*].url)
}

output "consumer_policy_arn" {
  description = "Policy for the role of your consumer."
  value       = aws_iam_policy.consumer.arn
}

output "bucket_name" {
  description = "Holds bodies too large for the queue (claims/), events that the queue did not take (fallback/) and the ledger of what was fetched (ledger/)."
  value       = local.bucket
}

output "relay_role_arn" {
  description = "The role that sends to the queue. A queue in another account must allow it to."
  value       = aws_iam_role.relay.arn
}

output "redrive_role_arn" {
  description = "The role that moves events from the fallback into the queue. A queue in another account must allow it to."
  value       = one(aws_iam_role.redrive[*].arn)
}

output "relay_function" {
  description = "Name of the function, for its logs and metrics."
  value       = aws_lambda_function.relay.function_name
}

output "redrive_function" {
  description = "Name of the function that empties the fallback."
  value       = one(aws_lambda_function.redrive[*].function_name)
}
