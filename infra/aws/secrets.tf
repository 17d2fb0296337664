# One secret for each platform: Label Studio sends its own in clear with each delivery, and it must not be able to forge
# Labelbox's signatures. Generated here and never written to the state or a plan: random_password is ephemeral,
# secret_string_wo write-only. Raising the number puts a new value; Secrets Manager keeps the one before as
# AWSPREVIOUS, and the relay takes both.

locals {
  make_labelbox_secret     = var.labelbox && var.labelbox_secret_arn == ""
  make_label_studio_secret = var.label_studio && var.label_studio_secret_arn == ""
  labelbox_secret_arn      = local.make_labelbox_secret ? aws_secretsmanager_secret.labelbox[0].arn : var.labelbox_secret_arn
  label_studio_secret_arn  = local.make_label_studio_secret ? aws_secretsmanager_secret.label_studio[0].arn : var.label_studio_secret_arn
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

resource "aws_secretsmanager_secret" "labelbox" {
  #checkov:skip=CKV_AWS_149:encrypted with the key that AWS manages, free of charge, unless encryption_key_arn names another
  #checkov:skip=CKV2_AWS_57:the platform has to be given the new secret, which no schedule does
  count = local.make_labelbox_secret ? 1 : 0
  # A name of its own each time: one that was deleted is not free again for 30 days.
  name_prefix = "${var.name}-labelbox-"
  description = "Secret of the Labelbox webhook that delivers to ${var.name}"
  kms_key_id  = local.encryption_key
}

resource "aws_secretsmanager_secret_version" "labelbox" {
  count                    = local.make_labelbox_secret && var.labelbox_secret_version > 0 ? 1 : 0
  secret_id                = aws_secretsmanager_secret.labelbox[0].id
  secret_string_wo         = ephemeral.random_password.labelbox.result
  secret_string_wo_version = var.labelbox_secret_version
}

resource "aws_secretsmanager_secret" "label_studio" {
  #checkov:skip=CKV_AWS_149:encrypted with the key that AWS manages, free of charge, unless encryption_key_arn names another
  #checkov:skip=CKV2_AWS_57:the platform has to be given the new secret, which no schedule does
  count       = local.make_label_studio_secret ? 1 : 0
  name_prefix = "${var.name}-label-studio-"
  description = "Secret of the Label Studio webhook that delivers to ${var.name}"
  kms_key_id  = local.encryption_key
}

resource "aws_secretsmanager_secret_version" "label_studio" {
  count                    = local.make_label_studio_secret && var.label_studio_secret_version > 0 ? 1 : 0
  secret_id                = aws_secretsmanager_secret.label_studio[0].id
  secret_string_wo         = ephemeral.random_password.label_studio.result
  secret_string_wo_version = var.label_studio_secret_version
}
