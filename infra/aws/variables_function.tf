# Bring your own (empty: made here)

variable "queue_arn" {
  type        = string
  default     = ""
  description = "Your own SQS queue to send to."
  validation {
    condition     = can(regex("^$|^arn:aws[a-z-]*:sqs:[a-z0-9-]+:\\d{12}:[A-Za-z0-9_-]{1,80}(\\.fifo)?$", var.queue_arn))
    error_message = "queue_arn is the ARN of an SQS queue."
  }
}

variable "dead_letter_queue_arn" {
  type        = string
  default     = ""
  description = "The dead-letter queue of your own queue. The consumer's policy then allows to reject events there, and an alarm watches it."
  validation {
    condition     = can(regex("^$|^arn:aws[a-z-]*:sqs:[a-z0-9-]+:\\d{12}:[A-Za-z0-9_-]{1,80}(\\.fifo)?$", var.dead_letter_queue_arn))
    error_message = "dead_letter_queue_arn is the ARN of an SQS queue."
  }
}

variable "bucket_arn" {
  type        = string
  default     = ""
  description = "Your own S3 bucket for bodies too large for the queue (claims/), for the fallback (fallback/) and for traces (traces/). You set its lifecycle rules."
  validation {
    condition     = can(regex("^$|^arn:aws[a-z-]*:s3:::[a-z0-9.-]{3,63}$", var.bucket_arn))
    error_message = "bucket_arn is the ARN of an S3 bucket."
  }
}

variable "labelbox_secret_arn" {
  type        = string
  default     = ""
  description = "Your own secret in Secrets Manager, as you enter it in Labelbox."
  validation {
    condition     = can(regex("^$|^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\\d{12}:secret:.+$", var.labelbox_secret_arn))
    error_message = "labelbox_secret_arn is the ARN of a secret in Secrets Manager."
  }
}

variable "label_studio_secret_arn" {
  type        = string
  default     = ""
  description = "Your own secret in Secrets Manager, as Label Studio sends it."
  validation {
    condition     = can(regex("^$|^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\\d{12}:secret:.+$", var.label_studio_secret_arn))
    error_message = "label_studio_secret_arn is the ARN of a secret in Secrets Manager."
  }
}

variable "kms_key_arns" {
  type        = list(string)
  default     = []
  description = "Customer-managed keys that encrypt your queue, bucket or secrets."
}

variable "encryption_key_arn" {
  type        = string
  default     = ""
  description = "A customer-managed key for the queue, the bucket, the secrets and the logs that are made here. Give it at the first deployment. Leave it empty for keys that AWS manages."
  validation {
    condition     = can(regex("^$|^arn:aws[a-z-]*:kms:[a-z0-9-]+:\\d{12}:key/.+$", var.encryption_key_arn))
    error_message = "encryption_key_arn is the ARN of a key in KMS."
  }
}

# The function

variable "architecture" {
  type        = string
  default     = "arm64"
  description = "The one that the package was built for."
  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "architecture is arm64 or x86_64."
  }
}

variable "memory_size" {
  type        = number
  default     = 256
  description = "Memory of the function in MB. Processor time comes in proportion."
  validation {
    condition     = var.memory_size >= 128 && var.memory_size <= 10240
    error_message = "memory_size is 128 to 10240."
  }
}

variable "reserved_concurrency" {
  type        = number
  default     = null
  description = "At most so many invocations at a time, which bounds what a flood of forged requests costs. The risk is that AWS refuses what is more, forged or not, with 429, and Label Studio does not try again. Without it, as many as the account has."
}

variable "log_level" {
  type        = string
  default     = "info"
  description = "debug adds one line for each delivery. No level logs bodies or secrets."
  validation {
    condition     = contains(["error", "warn", "info", "debug"], var.log_level)
    error_message = "log_level is error, warn, info or debug."
  }
}

variable "permissions_boundary" {
  type        = string
  default     = ""
  description = "A policy that bounds what the roles made here can ever do, as some organisations demand of each role."
  validation {
    condition     = can(regex("^$|^arn:aws[a-z-]*:iam::(\\d{12}|aws):policy/.+$", var.permissions_boundary))
    error_message = "permissions_boundary is the ARN of a policy in IAM."
  }
}

variable "subnet_ids" {
  type        = list(string)
  default     = []
  description = "Private subnets for both functions. From there they must reach SQS, S3 and Secrets Manager, through endpoints or a NAT gateway. Leave it empty for no VPC."
}

variable "security_group_ids" {
  type        = list(string)
  default     = []
  description = "Security groups of both functions in these subnets. They need to let HTTPS out, and nothing in."
  validation {
    condition     = length(var.subnet_ids) == 0 || length(var.security_group_ids) > 0
    error_message = "subnet_ids need security_group_ids."
  }
}

# Alarms and cost

variable "alarm_topic_arn" {
  type        = string
  default     = ""
  description = "SNS topic for the alarms. Without one, they only show in CloudWatch."
  validation {
    condition     = can(regex("^$|^arn:aws[a-z-]*:sns:[a-z0-9-]+:\\d{12}:.+$", var.alarm_topic_arn))
    error_message = "alarm_topic_arn is the ARN of an SNS topic."
  }
}

variable "oldest_message_alarm_seconds" {
  type        = number
  default     = 86400
  description = "Alarm when a message has waited for a consumer this long."
  validation {
    condition     = var.oldest_message_alarm_seconds >= 60 && var.oldest_message_alarm_seconds <= 1209600
    error_message = "oldest_message_alarm_seconds is 60 to 1209600."
  }
}

variable "refused_alarm_count" {
  type        = number
  default     = 20
  description = "Alarm when more requests than this are refused (4xx) within 5 minutes."
  validation {
    condition     = var.refused_alarm_count >= 1
    error_message = "refused_alarm_count is 1 or more."
  }
}

variable "oversized_alarm" {
  type        = bool
  default     = true
  description = "Alarm when AWS refuses a request before the function sees it, as it does over 6 MB. There is none for a REST API."
}

variable "monthly_budget_usd" {
  type        = number
  default     = null
  description = "Tell the alarm topic when all of this has cost, or is about to cost, more US dollars than this in a month. It needs alarm_topic_arn. Without it there is no budget."
}

# Numbers that are raised by one to put a new secret; the one before stays valid beside it.

variable "labelbox_secret_version" {
  type        = number
  default     = 1
  description = "Raise by one to put a new secret for Labelbox. 0: put none, once a command has put another."
}

variable "label_studio_secret_version" {
  type        = number
  default     = 1
  description = "Raise by one to put a new secret for Label Studio. 0: put none, once a command has put another."
}
