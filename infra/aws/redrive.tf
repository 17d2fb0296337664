# The same program without a URL: nobody outside can trigger it, and only it may read the fallback.

resource "aws_lambda_function" "redrive" {
  #checkov:skip=CKV_AWS_50:traces cost as much as invocations; the function writes what became of each event
  #checkov:skip=CKV_AWS_115:reserving concurrency takes it from the account; it runs once in five minutes
  #checkov:skip=CKV_AWS_116:its event says nothing but that five minutes have passed
  #checkov:skip=CKV_AWS_117:what it calls are public endpoints of AWS; a VPC would need a NAT gateway, which costs more than all the rest
  #checkov:skip=CKV_AWS_173:the variables hold names and no secrets; they are encrypted with the key that Lambda manages
  #checkov:skip=CKV_AWS_272:the archive's checksum is among those of its release, and in the state
  count            = var.fallback ? 1 : 0
  function_name    = "${var.name}-redrive"
  description      = "Moves events from the fallback into the queue."
  filename         = var.package
  source_code_hash = filebase64sha256(var.package)
  handler          = "bootstrap"
  runtime          = "provided.al2023"
  architectures    = [var.architecture]
  # It holds 16 MiB of events at once, or a larger one alone. One over 29 MiB stays: no function leaves such a one.
  memory_size = 128
  # Less than the schedule's interval, and none that failed is started again beside the next one: so that two never
  # run at once. What is left, the next run moves.
  timeout = 240
  role    = aws_iam_role.redrive[0].arn
  dynamic "vpc_config" {
    for_each = local.with_vpc ? [var.subnet_ids] : []
    content {
      subnet_ids         = vpc_config.value
      security_group_ids = var.security_group_ids
    }
  }
  logging_config {
    log_format            = "JSON"
    application_log_level = "DEBUG"
    system_log_level      = "WARN"
    log_group             = aws_cloudwatch_log_group.redrive[0].name
  }
  environment {
    variables = merge({
      LABELRELAY_FUNCTION = "redrive"
      LABELRELAY_LOG      = var.log_level
      LABELRELAY_QUEUE    = local.queue
      LABELRELAY_FALLBACK = "s3://${local.bucket}/fallback"
      # For events too large for the queue that the bucket took only as a whole.
      LABELRELAY_BLOB_STORE = "s3://${local.bucket}/claims"
    }, var.traces ? { LABELRELAY_TRACES = "s3://${local.bucket}/traces" } : {})
  }
  depends_on = [aws_iam_role_policy.redrive, aws_iam_role_policy_attachment.redrive_in_vpc]
}

resource "aws_lambda_function_event_invoke_config" "redrive" {
  count                        = var.fallback ? 1 : 0
  function_name                = aws_lambda_function.redrive[0].function_name
  maximum_retry_attempts       = 0
  maximum_event_age_in_seconds = 60
}

resource "aws_cloudwatch_event_rule" "redrive" {
  count               = var.fallback ? 1 : 0
  name                = "${var.name}-redrive"
  description         = "Moves events from the fallback into the queue."
  schedule_expression = "rate(5 minutes)"
}

resource "aws_cloudwatch_event_target" "redrive" {
  count = var.fallback ? 1 : 0
  rule  = aws_cloudwatch_event_rule.redrive[0].name
  arn   = aws_lambda_function.redrive[0].arn
  retry_policy {
    maximum_retry_attempts       = 0
    maximum_event_age_in_seconds = 60
  }
}

resource "aws_lambda_permission" "redrive_schedule" {
  count         = var.fallback ? 1 : 0
  statement_id  = "schedule"
  function_name = aws_lambda_function.redrive[0].function_name
  action        = "lambda:InvokeFunction"
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.redrive[0].arn
}

resource "aws_cloudwatch_log_group" "redrive" {
  #checkov:skip=CKV_AWS_158:logs hold no bodies and no secrets; CloudWatch encrypts them with a key of its own
  #checkov:skip=CKV_AWS_338:log_retention_days keeps them for longer where that is wanted
  count             = var.fallback ? 1 : 0
  name              = "/aws/lambda/${var.name}-redrive"
  retention_in_days = var.log_retention_days
  kms_key_id        = local.encryption_key
}

resource "aws_iam_role" "redrive" {
  count                = var.fallback ? 1 : 0
  name                 = "${local.role_prefix}-redrive"
  permissions_boundary = local.boundary
  assume_role_policy   = local.assumed_by_lambda
}

resource "aws_iam_role_policy_attachment" "redrive_in_vpc" {
  count      = var.fallback && local.with_vpc ? 1 : 0
  role       = aws_iam_role.redrive[0].name
  policy_arn = local.vpc_policy
}

resource "aws_iam_role_policy" "redrive" {
  count = var.fallback ? 1 : 0
  name  = "redrive"
  role  = aws_iam_role.redrive[0].name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat([
      {
        Sid      = "Log"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "${aws_cloudwatch_log_group.redrive[0].arn}:*"
      },
      {
        Sid      = "Send"
        Effect   = "Allow"
        Action   = ["sqs:SendMessage", "sqs:GetQueueAttributes"]
        Resource = local.queue_arn
      },
      {
        Sid       = "List"
        Effect    = "Allow"
        Action    = "s3:ListBucket"
        Resource  = local.bucket_arn
        Condition = { StringLike = { "s3:prefix" = "fallback/*" } }
      },
      {
        Sid      = "Keep"
        Effect   = "Allow"
        Action   = "s3:PutObject"
        Resource = concat(["${local.bucket_arn}/claims/*"], var.traces ? ["${local.bucket_arn}/traces/*"] : [])
      },
      {
        Sid      = "Move"
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:DeleteObject"]
        Resource = "${local.bucket_arn}/fallback/*"
      },
      ], local.use_encryption_key, length(var.kms_key_arns) > 0 ? [{
        Sid       = "UseKeys"
        Effect    = "Allow"
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = var.kms_key_arns
        Condition = { StringEquals = { "kms:ViaService" = local.via_queue_and_bucket } }
    }] : [])
  })
}
