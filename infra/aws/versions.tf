# labelrelay on AWS: webhooks of Labelbox and Label Studio, verified over their raw bytes and put on an SQS queue
# before they are answered. The same as template.yaml, for those who deploy with Terraform: a test compares the two.
# docs/aws.md explains deploying, every parameter, cost and failures.

terraform {
  # Write-only arguments, by which generated secrets stay out of the state, came with 1.11.
  required_version = ">= 1.11"
  required_providers {
    aws = {
      source = "hashicorp/aws"
      # 6.69 has all that is used here, such as the second permission of a public function URL.
      version = "~> 6.69"
    }
    random = {
      source  = "hashicorp/random"
      version = "~> 3.7"
    }
  }
}

provider "aws" {
  region = var.region
  # Bills tell this from the account's other resources by it.
  default_tags {
    tags = merge(var.tags, { application = var.name })
  }
}

data "aws_caller_identity" "this" {}

data "aws_partition" "this" {}

data "aws_region" "this" {}

locals {
  account   = data.aws_caller_identity.this.account_id
  partition = data.aws_partition.this.partition
  suffix    = data.aws_partition.this.dns_suffix
  region    = data.aws_region.this.region
  # Names of roles and policies are the account's, for all regions.
  role_prefix = "${var.name}-${local.region}"
}
