# The function that takes deliveries.

locals {
  with_vpc = length(var.subnet_ids) > 0
  # Interfaces in a VPC are Lambda's to make.
  vpc_policy = "arn:${local.partition}:iam::aws:policy/service-role/AWSLambdaENIManagementAccess"
  boundary   = var.permissions_boundary == "" ? null : var.permissions_boundary

  assumed_by_lambda = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })

  via_queue_and_bucket = ["sqs.${local.region}.${local.suffix}", "s3.${local.region}.${local.suffix}"]
  via_all              = concat(local.via_queue_and_bucket, ["secretsmanager.${local.region}.${local.suffix}"])
  # Of both functions; the redrive reads no secret.
  use_encryption_key = local.with_encryption_key ? [{
    Sid       = "UseEncryptionKey"
    Effect    = "Allow"
    Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
    Resource  = var.encryption_key_arn
    Condition = { StringEquals = { "kms:ViaService" = local.via_all } }
  }] : []

  # docs/configuration.md lists what else may stand here, such as filters. Nothing pulls from Labelbox.
  config = join("\n", [
    var.labelbox ? join("\n", [
      "[[source]]",
      "name = \"labelbox\"",
      "provider = \"labelbox\"",
      "secret = \"aws-secretsmanager:${local.labelbox_secret_arn}\"",
      "traces = false",
    ]) : "",
    var.labelbox && length(var.labelbox_allowed_addresses) > 0 ? "allow = [\"${join("\", \"", var.labelbox_allowed_addresses)}\"]" : "",
    var.label_studio ? join("\n", [
      "[[source]]",
      "name = \"label-studio\"",
      "provider = \"label-studio\"",
      "secret = \"aws-secretsmanager:${local.label_studio_secret_arn}\"",
      "ml_backend = ${var.label_studio_ml_backend}",
    ]) : "",
    var.label_studio && length(var.label_studio_allowed_addresses) > 0 ? "allow = [\"${join("\", \"", var.label_studio_allowed_addresses)}\"]" : "",
  ])
}

resource "aws_lambda_function" "relay" {
  #checkov:skip=CKV_AWS_50:traces cost as much as invocations; the function writes what became of each request, and how long it took
  #checkov:skip=CKV_AWS_115:reserved_concurrency bounds it where that is wanted: what it refuses is lost
  #checkov:skip=CKV_AWS_116:it is called synchronously: a failure is answered 5xx; what the queue does not take goes to the fallback
  #checkov:skip=CKV_AWS_117:what it calls are public endpoints of AWS; a VPC would need a NAT gateway, which costs more than all the rest
  #checkov:skip=CKV_AWS_173:the variables hold names and no secrets; they are encrypted with the key that Lambda manages
  #checkov:skip=CKV_AWS_272:the archive's checksum is among those of its release, and in the state
  function_name    = "${var.name}-relay"
  description      = "Verifies webhooks and puts them on the queue."
  filename         = var.package
  source_code_hash = filebase64sha256(var.package)
  handler          = "bootstrap"
  runtime          = "provided.al2023"
  architectures    = [var.architecture]
  memory_size      = var.memory_size
  # The relay itself gives up after 10 s.
  timeout                        = 15
  reserved_concurrent_executions = var.reserved_concurrency
  role                           = aws_iam_role.relay.arn
  dynamic "vpc_config" {
    for_each = local.with_vpc ? [var.subnet_ids] : []
    content {
      subnet_ids         = vpc_config.value
      security_group_ids = var.security_group_ids
    }
  }
  logging_config {
    log_format = "JSON"
    # Everything passes: the program's own level decides, and this filter would drop its metrics too.
    application_log_level = "DEBUG"
    # Lambda's own lines for each invocation would cost as much as the invocation.
    system_log_level = "WARN"
    log_group        = aws_cloudwatch_log_group.relay.name
  }
  environment {
    variables = merge({
      LABELRELAY_LOG         = var.log_level
      LABELRELAY_QUEUE       = local.queue
      LABELRELAY_BLOB_STORE  = "s3://${local.bucket}/claims"
      LABELRELAY_CONFIG_TOML = local.config
      }, var.fallback ? { LABELRELAY_FALLBACK = "s3://${local.bucket}/fallback" } : {},
    var.traces ? { LABELRELAY_TRACES = "s3://${local.bucket}/traces" } : {})
  }
  # From its first request on it may do what it does, and finds what it reads.
  depends_on = [
    aws_iam_role_policy.relay,
    aws_iam_role_policy_attachment.relay_in_vpc,
    aws_secretsmanager_secret_version.labelbox,
    aws_secretsmanager_secret_version.label_studio,
  ]
}

resource "aws_cloudwatch_log_group" "relay" {
  #checkov:skip=CKV_AWS_158:logs hold no bodies and no secrets; CloudWatch encrypts them with a key of its own
  #checkov:skip=CKV_AWS_338:log_retention_days keeps them for longer where that is wanted
  name              = "/aws/lambda/${var.name}-relay"
  retention_in_days = var.log_retention_days
  kms_key_id        = local.encryption_key
}

resource "aws_iam_role" "relay" {
  name                 = "${local.role_prefix}-relay"
  permissions_boundary = local.boundary
  assume_role_policy   = local.assumed_by_lambda
}

resource "aws_iam_role_policy_attachment" "relay_in_vpc" {
  count      = local.with_vpc ? 1 : 0
  role       = aws_iam_role.relay.name
  policy_arn = local.vpc_policy
}

resource "aws_iam_role_policy" "relay" {
  name = "relay"
  role = aws_iam_role.relay.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat([
      {
        Sid      = "Log"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "${aws_cloudwatch_log_group.relay.arn}:*"
      },
      {
        Sid    = "Send"
        Effect = "Allow"
        # The attributes tell the queue's own size limit.
        Action   = ["sqs:SendMessage", "sqs:GetQueueAttributes"]
        Resource = local.queue_arn
      },
      {
        Sid    = "Keep"
        Effect = "Allow"
        Action = "s3:PutObject"
        Resource = concat(
          ["${local.bucket_arn}/claims/*"],
          var.fallback ? ["${local.bucket_arn}/fallback/*"] : [],
          var.traces ? ["${local.bucket_arn}/traces/*"] : [],
        )
      },
      {
        Sid    = "ReadSecrets"
        Effect = "Allow"
        Action = "secretsmanager:GetSecretValue"
        Resource = concat(
          var.labelbox ? [local.labelbox_secret_arn] : [],
          var.label_studio ? [local.label_studio_secret_arn] : [],
        )
      },
      ], local.use_encryption_key, length(var.kms_key_arns) > 0 ? [{
        Sid       = "UseKeys"
        Effect    = "Allow"
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = var.kms_key_arns
        Condition = { StringEquals = { "kms:ViaService" = local.via_all } }
    }] : [])
  })
}
