# Terraform does not destroy the queues and the bucket: what was accepted and not consumed yet lies there. docs/aws.md
# says how to uninstall.

locals {
  make_queue = var.queue_arn == ""
  # The colons make every part exist, whatever the variable is.
  queue_parts = split(":", "${var.queue_arn}:::::")
  queue_arn   = local.make_queue ? aws_sqs_queue.events[0].arn : var.queue_arn
  queue_url   = local.make_queue ? aws_sqs_queue.events[0].url : "https://sqs.${local.queue_parts[3]}.${local.suffix}/${local.queue_parts[4]}/${local.queue_parts[5]}"
  queue_name  = local.make_queue ? aws_sqs_queue.events[0].name : local.queue_parts[5]

  with_dead_letters      = local.make_queue || var.dead_letter_queue_arn != ""
  dead_letter_queue_arn  = local.make_queue ? aws_sqs_queue.dead[0].arn : var.dead_letter_queue_arn
  dead_letter_queue_name = local.make_queue ? aws_sqs_queue.dead[0].name : split(":", "${var.dead_letter_queue_arn}:::::")[5]

  # LABELRELAY_QUEUE of both functions.
  queue = "${local.queue_url}${var.fair_queue && !var.fifo ? "?group=partition" : ""}"

  fifo_suffix         = var.fifo ? ".fifo" : ""
  with_encryption_key = var.encryption_key_arn != ""
  encryption_key      = local.with_encryption_key ? var.encryption_key_arn : null
}

resource "aws_sqs_queue" "events" {
  #checkov:skip=CKV_AWS_27:encrypted with keys that SQS manages, free of charge, unless encryption_key_arn names another
  count      = local.make_queue ? 1 : 0
  name       = "${var.name}-events${local.fifo_suffix}"
  fifo_queue = var.fifo
  # A repeat has the group of the first one, so that looking for repeats within a group finds all of them; and each
  # group has 300 events a second then, instead of all groups together.
  deduplication_scope        = var.fifo ? "messageGroup" : null
  fifo_throughput_limit      = var.fifo ? "perMessageGroupId" : null
  max_message_size           = 1048576
  message_retention_seconds  = 1209600 # 14 days, the most there is
  receive_wait_time_seconds  = 20
  visibility_timeout_seconds = 300
  sqs_managed_sse_enabled    = local.with_encryption_key ? null : true
  kms_master_key_id          = local.encryption_key
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead[0].arn
    maxReceiveCount     = 5
  })
  # No other queue can put its dead letters among the events.
  redrive_allow_policy = jsonencode({ redrivePermission = "denyAll" })
  lifecycle {
    prevent_destroy = true
  }
}

# Which queues may put their dead letters here is not said: that would name the queue above, which names this one.
resource "aws_sqs_queue" "dead" {
  #checkov:skip=CKV_AWS_27:encrypted with keys that SQS manages, free of charge, unless encryption_key_arn names another
  count                     = local.make_queue ? 1 : 0
  name                      = "${var.name}-dead${local.fifo_suffix}"
  fifo_queue                = var.fifo
  max_message_size          = 1048576
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = local.with_encryption_key ? null : true
  kms_master_key_id         = local.encryption_key
  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_sqs_queue_policy" "events" {
  count     = local.make_queue ? 1 : 0
  queue_url = aws_sqs_queue.events[0].url
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "TlsOnly"
      Effect    = "Deny"
      Principal = "*"
      Action    = "sqs:*"
      Resource  = aws_sqs_queue.events[0].arn
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
}

resource "aws_sqs_queue_policy" "dead" {
  count     = local.make_queue ? 1 : 0
  queue_url = aws_sqs_queue.dead[0].url
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "TlsOnly"
      Effect    = "Deny"
      Principal = "*"
      Action    = "sqs:*"
      Resource  = aws_sqs_queue.dead[0].arn
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
}
