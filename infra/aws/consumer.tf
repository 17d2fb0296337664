# For whatever consumes: attach it to its role.

resource "aws_iam_policy" "consumer" {
  name        = "${local.role_prefix}-consumer"
  description = "Consumes the events of ${var.name}"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat([
      {
        Sid    = "Consume"
        Effect = "Allow"
        Action = [
          "sqs:ReceiveMessage",
          "sqs:DeleteMessage",
          "sqs:ChangeMessageVisibility",
          "sqs:GetQueueAttributes",
          "sqs:GetQueueUrl",
        ]
        Resource = local.queue_arn
      },
      ], local.with_dead_letters ? [{
        # A consumer may find an event that nobody can use.
        Sid      = "Reject"
        Effect   = "Allow"
        Action   = "sqs:SendMessage"
        Resource = local.dead_letter_queue_arn
      }] : [], [
      {
        Sid      = "ReadClaims"
        Effect   = "Allow"
        Action   = "s3:GetObject"
        Resource = "${local.bucket_arn}/claims/*"
      },
      ], local.with_encryption_key ? [{
        Sid    = "UseEncryptionKey"
        Effect = "Allow"
        # What is rejected is encrypted with it.
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = var.encryption_key_arn
        Condition = { StringEquals = { "kms:ViaService" = local.via_queue_and_bucket } }
        }] : [], length(var.kms_key_arns) > 0 ? [{
        Sid    = "UseKeys"
        Effect = "Allow"
        # What is rejected is encrypted with the key of your dead-letter queue.
        Action    = concat(["kms:Decrypt"], var.dead_letter_queue_arn != "" ? ["kms:GenerateDataKey"] : [])
        Resource  = var.kms_key_arns
        Condition = { StringEquals = { "kms:ViaService" = local.via_queue_and_bucket } }
    }] : [])
  })
}
