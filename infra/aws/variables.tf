variable "name" {
  type        = string
  default     = "labelrelay"
  description = "Prefix of the names of all resources. Choose another for a second deployment in the account."
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,19}$", var.name))
    error_message = "name is 2 to 20 characters: lower-case letters, digits and hyphens, a letter first."
  }
}

variable "region" {
  type        = string
  default     = null
  description = "Region of everything, for example eu-central-1. Choose the one nearest to the platform: Label Studio waits one second. Without it, that of the environment or the profile."
}

variable "package" {
  type        = string
  description = "Path of the built function for the architecture: bootstrap.zip of a release's archive, or what cargo lambda build --output-format zip makes."
}

variable "tags" {
  type        = map(string)
  default     = {}
  description = "Tags of everything, besides application, which has the name."
}

# Which platforms deliver

variable "labelbox" {
  type        = bool
  default     = true
  description = "Take deliveries of Labelbox."
}

variable "label_studio" {
  type        = bool
  default     = true
  description = "Take deliveries of Label Studio."
  validation {
    condition     = var.labelbox || var.label_studio
    error_message = "labelbox and label_studio cannot both be false."
  }
}

variable "label_studio_ml_backend" {
  type        = bool
  default     = false
  description = "Also answer the calls that Label Studio makes to an ML back end, so that START_TRAINING becomes an event."
}

variable "labelbox_allowed_addresses" {
  type        = list(string)
  default     = []
  description = "Addresses or networks (CIDR) that may deliver for Labelbox, besides the signature. Leave it empty to allow any."
}

variable "label_studio_allowed_addresses" {
  type        = list(string)
  default     = []
  description = "Addresses or networks (CIDR) that may deliver for Label Studio, besides the secret. Leave it empty to allow any."
}

# Where requests come in

variable "front_door" {
  type        = string
  default     = "FunctionUrl"
  description = "What takes requests from the internet. A function URL costs nothing. An HTTP API can have a domain of yours. A REST API can also refuse addresses, and have a firewall (WAF), before anything is invoked."
  validation {
    condition     = contains(["FunctionUrl", "HttpApi", "RestApi"], var.front_door)
    error_message = "front_door is FunctionUrl, HttpApi or RestApi."
  }
}

variable "domain_name" {
  type        = string
  default     = ""
  description = "A domain of yours for the HTTP API or the REST API, such as hooks.example.com. Point it at the output domain_target afterwards."
  validation {
    condition     = can(regex("^$|^[a-z0-9.-]{4,253}$", var.domain_name))
    error_message = "domain_name is a name such as hooks.example.com."
  }
  validation {
    condition     = var.domain_name == "" || var.front_door != "FunctionUrl"
    error_message = "A function URL has no domain of its own. With domain_name, choose front_door = HttpApi or RestApi."
  }
  validation {
    condition     = var.domain_name == "" || var.certificate_arn != ""
    error_message = "domain_name needs certificate_arn."
  }
}

variable "certificate_arn" {
  type        = string
  default     = ""
  description = "The certificate of domain_name in Certificate Manager, in this region."
  validation {
    condition     = can(regex("^$|^arn:aws[a-z-]*:acm:[a-z0-9-]+:\\d{12}:certificate/.+$", var.certificate_arn))
    error_message = "certificate_arn is the ARN of a certificate in Certificate Manager."
  }
}

variable "api_allowed_addresses" {
  type        = list(string)
  default     = []
  description = "Addresses or networks (CIDR) that may reach the REST API at all. It refuses others with 403. Leave it empty to allow any."
  validation {
    condition     = alltrue([for address in var.api_allowed_addresses : can(regex("^[0-9a-fA-F.:/]+$", address))])
    error_message = "api_allowed_addresses are addresses or networks (CIDR)."
  }
  validation {
    condition     = length(var.api_allowed_addresses) == 0 || var.front_door == "RestApi"
    error_message = "Only a REST API refuses addresses. With api_allowed_addresses, choose front_door = RestApi."
  }
}

variable "requests_per_second" {
  type        = number
  default     = null
  description = "At most so many requests a second through the HTTP API or the REST API, and as many at once. The risk is that AWS refuses what is more, forged or not, with 429, and Label Studio does not try again. Without it, the account's limits count."
  validation {
    condition     = var.requests_per_second == null || var.front_door != "FunctionUrl"
    error_message = "A function URL has no rate of its own. Use reserved_concurrency, or choose front_door = HttpApi or RestApi."
  }
}

variable "access_logs" {
  type        = bool
  default     = false
  description = "Keep a line for each request to the HTTP API or the REST API, without headers and bodies. For a REST API, the account needs a role for logs first (docs/aws.md)."
}

# The queue, and how long things are kept

variable "fifo" {
  type        = bool
  default     = false
  description = "Make a FIFO queue. It drops repeats within 5 minutes and keeps events of one data row or task in order of arrival. 300 events a second for each of these, not for all of them together."
}

variable "fair_queue" {
  type        = bool
  default     = false
  description = "On a standard queue, let the events of one data row or task not keep those of all others waiting (fair queues of SQS). It has no effect on a FIFO queue."
}

variable "fallback" {
  type        = bool
  default     = true
  description = "Keep events in the bucket while the queue fails. A schedule moves them into the queue every 5 minutes."
}

variable "traces" {
  type        = bool
  default     = false
  description = "Leave a trace of each event of Label Studio in the bucket. Set it where reconcile.yaml is deployed, which then sends only what was missed. It costs a write to S3 for each event."
}

variable "claim_retention_days" {
  type        = number
  default     = 35
  description = "Days until bodies too large for the queue expire. It must be more than the 28 days that a message can live in the queue and the dead-letter queue together."
  validation {
    condition     = var.claim_retention_days > 28 && var.claim_retention_days <= 3650
    error_message = "claim_retention_days must be more than 28, and 3650 at most."
  }
}

variable "log_retention_days" {
  type        = number
  default     = 30
  description = "Days to keep logs. They hold no bodies and no secrets."
  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days is one of those that CloudWatch has: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653."
  }
}
