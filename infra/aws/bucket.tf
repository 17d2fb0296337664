# claims/ holds the bodies that are too large for the queue, fallback/ whole events while the queue does not take them,
# ledger/ what reconcile remembers (reconcile.yaml), traces/ what it need not send.

locals {
  make_bucket = var.bucket_arn == ""
  bucket_arn  = local.make_bucket ? aws_s3_bucket.events[0].arn : var.bucket_arn
  bucket      = local.make_bucket ? aws_s3_bucket.events[0].bucket : split(":", "${var.bucket_arn}:::::")[5]
}

resource "aws_s3_bucket" "events" {
  #checkov:skip=CKV_AWS_18:access logs need a second bucket; what is in this one is read through a queue that is watched
  #checkov:skip=CKV_AWS_21:objects are written once, under their digest or time, and never again; versions would keep what has expired
  #checkov:skip=CKV_AWS_144:a copy in another region is of no use to a queue and functions in this one
  #checkov:skip=CKV_AWS_145:encrypted with keys that S3 manages, free of charge, unless encryption_key_arn names another
  #checkov:skip=CKV2_AWS_62:nobody has to learn of objects: messages in the queue name them
  count = local.make_bucket ? 1 : 0
  # Names of buckets are of the whole world; account and region make them this one's.
  bucket = "${var.name}-${local.account}-${local.region}"
  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "events" {
  count  = local.make_bucket ? 1 : 0
  bucket = aws_s3_bucket.events[0].bucket
  rule {
    bucket_key_enabled = local.with_encryption_key ? true : null
    apply_server_side_encryption_by_default {
      sse_algorithm     = local.with_encryption_key ? "aws:kms" : "AES256"
      kms_master_key_id = local.encryption_key
    }
  }
}

resource "aws_s3_bucket_public_access_block" "events" {
  count                   = local.make_bucket ? 1 : 0
  bucket                  = aws_s3_bucket.events[0].bucket
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "events" {
  count  = local.make_bucket ? 1 : 0
  bucket = aws_s3_bucket.events[0].bucket
  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "events" {
  count  = local.make_bucket ? 1 : 0
  bucket = aws_s3_bucket.events[0].bucket
  rule {
    id     = "claims-outlive-their-messages"
    status = "Enabled"
    filter {
      prefix = "claims/"
    }
    expiration {
      days = var.claim_retention_days
    }
  }
  # What a run has read, it removes. A trace that is gone before gives a repeat.
  rule {
    id     = "traces-of-no-run"
    status = "Enabled"
    filter {
      prefix = "traces/"
    }
    expiration {
      days = 7
    }
  }
  # Nothing expires below fallback/: it is all there is of an event until the queue has it. Nor below ledger/: without
  # it all of Label Studio would be sent again.
  rule {
    id     = "abandoned-uploads"
    status = "Enabled"
    filter {}
    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }
}

resource "aws_s3_bucket_policy" "events" {
  count  = local.make_bucket ? 1 : 0
  bucket = aws_s3_bucket.events[0].bucket
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "TlsOnly"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [aws_s3_bucket.events[0].arn, "${aws_s3_bucket.events[0].arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
  # S3 refuses two changes of a bucket's access at the same time.
  depends_on = [aws_s3_bucket_public_access_block.events]
}
