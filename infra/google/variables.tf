variable "project" {
  type        = string
  description = "Project to deploy to."
}

variable "region" {
  type        = string
  description = "Region of everything, for example europe-west1. Choose the one nearest to the platform: Label Studio waits one second."
}

variable "name" {
  type        = string
  default     = "labelrelay"
  description = "Prefix of the names of all resources."
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,19}$", var.name))
    error_message = "name is 2 to 20 characters: lower-case letters, digits and hyphens, a letter first."
  }
}

variable "image" {
  type        = string
  description = "Container image of labelrelay-cloud-function, by digest or tag: docker build --target cloud-function."
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

variable "trusted_proxies" {
  type        = number
  default     = 0
  description = "For the two lists. 0: the address that connected to Cloud Run. Behind an external Application Load Balancer 2: the second entry from the right in X-Forwarded-For, since the balancer appends its own address after the sender's. With 2 and a list, the service takes requests from balancers of this project alone, not at its own URL."
}

variable "ingress" {
  type        = string
  default     = "all"
  description = "Who reaches the service at all. all: everybody, at its own URL. balancer: balancers of this project, and what is internal. internal: what is in a VPC of this project, or in a perimeter around it, alone; Label Studio must be there, and Labelbox is not."
  validation {
    condition     = contains(["all", "balancer", "internal"], var.ingress)
    error_message = "ingress is all, balancer or internal."
  }
  validation {
    condition     = var.ingress != "internal" || !var.labelbox
    error_message = "With ingress = internal, labelbox must be false: Labelbox delivers from the internet."
  }
}

# The queue, and how long things are kept

variable "ordering" {
  type        = bool
  default     = false
  description = "Give events of one data row or task one ordering key, so that they are delivered in order of arrival. Slower for a consumer, and the platforms themselves keep no order."
}

variable "topic_retention_days" {
  type        = number
  default     = 7
  description = "Days for which the topic itself keeps events too, so that a subscription that is made again can be set back to them. Storage for them is billed. 0: it keeps none."
  validation {
    condition     = var.topic_retention_days >= 0 && var.topic_retention_days <= 31
    error_message = "topic_retention_days is 0 to 31."
  }
}

variable "fallback" {
  type        = bool
  default     = true
  description = "Keep events in a bucket while Pub/Sub fails. A scheduled job publishes them later."
}

variable "redrive_schedule" {
  type        = string
  default     = "*/15 * * * *"
  description = "When events move out of the fallback. Google bills a run for at least a minute, so every 5 minutes would leave the free allowance."
}

variable "claim_retention_days" {
  type        = number
  default     = 70
  description = "Days until bodies too large for Pub/Sub expire. It must be more than the 62 days that a message can live in the subscription and the dead-letter subscription together."
  validation {
    condition     = var.claim_retention_days > 62
    error_message = "claim_retention_days must be more than 62: a message can live 31 days in the subscription and 31 more among the dead letters."
  }
}

variable "keep_events" {
  type        = bool
  default     = true
  description = "Let topic, subscriptions, buckets and secrets outlive terraform destroy. To delete them as well: apply with false first, then destroy."
}

variable "consumers" {
  type        = list(string)
  default     = []
  description = "Who may consume: members such as serviceAccount:worker@PROJECT.iam.gserviceaccount.com."
}

# Fetching what Label Studio sent while nothing took it: off unless image, URL and token are given

variable "reconcile_image" {
  type        = string
  default     = ""
  description = "Container image of labelrelay itself, by digest or tag: docker build without --target. Leave it empty to fetch nothing."
  validation {
    condition     = length(distinct([for given in [var.reconcile_image, var.reconcile_url, var.reconcile_token] : given == ""])) == 1
    error_message = "reconcile_image, reconcile_url and reconcile_token are given together, or none of them."
  }
  validation {
    condition     = var.reconcile_image == "" || var.label_studio
    error_message = "reconcile_image is for Label Studio: label_studio must be true."
  }
}

variable "reconcile_url" {
  type        = string
  default     = ""
  description = "Where Label Studio is, for example https://label-studio.example.org. Cloud Run must reach it."
}

variable "reconcile_token" {
  type        = string
  default     = ""
  description = "The secret in Secret Manager that holds a token of Label Studio. The job fetches what that token sees."
  validation {
    condition     = can(regex("^$|^projects/[^/]+/secrets/[^/]+$", var.reconcile_token))
    error_message = "reconcile_token is projects/PROJECT/secrets/NAME."
  }
}

variable "reconcile_minutes" {
  type        = number
  default     = 15
  description = "Minutes between runs. A run has one minute less, so that it is over when the next begins; each is billed for at least a minute."
  validation {
    condition     = contains([5, 6, 10, 12, 15, 20, 30, 60], var.reconcile_minutes)
    error_message = "reconcile_minutes is 5, 6, 10, 12, 15, 20, 30 or 60."
  }
}

variable "traces" {
  type        = bool
  default     = true
  description = "Leave a trace of each event of Label Studio, so that a run sends only what was missed. It costs a write for each event. Without traces a run publishes each live event a second time, with the same id, and the alert webhook-broken never rings."
}

# An archive

variable "archive_image" {
  type        = string
  default     = ""
  description = "Container image of labelrelay itself, by digest or tag: docker build without --target. Leave it empty to archive nothing."
  validation {
    condition     = var.archive_image == "" || var.topic == ""
    error_message = "archive_image needs the topic that is made here: leave topic empty, or make a subscription and a job of your own."
  }
}

variable "archive_minutes" {
  type        = number
  default     = 15
  description = "Minutes between runs, which is how late an event may be archived. A run has one minute less; each is billed for at least a minute."
  validation {
    condition     = contains([5, 6, 10, 12, 15, 20, 30, 60], var.archive_minutes)
    error_message = "archive_minutes is 5, 6, 10, 12, 15, 20, 30 or 60."
  }
}

variable "archive_retention_days" {
  type        = number
  default     = 0
  description = "Remove files of the archive so many days after they were written. 0: never."
  validation {
    condition     = var.archive_retention_days >= 0 && floor(var.archive_retention_days) == var.archive_retention_days
    error_message = "archive_retention_days is a whole number of days, or 0."
  }
}

variable "archive_readers" {
  type        = list(string)
  default     = []
  description = "Who may read the archive, such as group:labels@example.org. It holds all that the platforms send: addresses of annotators, and URLs with tokens in them."
}

# A program of yours that consumes: off unless an image is given

variable "consumer_image" {
  type        = string
  default     = ""
  description = "Container image of a program of yours that consumes with labelrelay.Consumer, and ends when nothing comes any more (until_idle), unless consumer_always_on is true. It gets QUEUE, BLOB_STORE and STATE. Leave it empty to run none."
  validation {
    condition     = (var.consumer_image == "") == (var.consumer_state == "")
    error_message = "consumer_image and consumer_state are given together, or none of them."
  }
  validation {
    condition     = var.consumer_image == "" || var.topic == ""
    error_message = "consumer_image consumes the subscription that is made here: topic must be empty."
  }
}

variable "consumer_state" {
  type        = string
  default     = ""
  description = "The secret in Secret Manager that holds the URL of what the consumer remembers, postgresql://USER:PASSWORD@HOST/DATABASE. Cloud Run must reach it."
  validation {
    condition     = can(regex("^$|^projects/[^/]+/secrets/[^/]+$", var.consumer_state))
    error_message = "consumer_state is projects/PROJECT/secrets/NAME."
  }
}

variable "consumer_environment" {
  type        = map(string)
  default     = {}
  description = "More variables of that program. They are no place for secrets."
}

variable "consumer_always_on" {
  type        = bool
  default     = false
  description = "Keep one instance of that program running, which pulls all the time, instead of a run every few minutes. It must not end when nothing comes (no until_idle)."
  validation {
    condition     = !var.consumer_always_on || var.consumer_image != ""
    error_message = "consumer_always_on keeps the program of consumer_image running: give that too."
  }
}

variable "consumer_minutes" {
  type        = number
  default     = 15
  description = "Minutes between its runs, each of which is billed for at least a minute. With consumer_always_on there are none."
  validation {
    condition     = contains([5, 6, 10, 12, 15, 20, 30, 60], var.consumer_minutes)
    error_message = "consumer_minutes is 5, 6, 10, 12, 15, 20, 30 or 60."
  }
}

# Bring your own (empty: made here)

variable "archive_bucket" {
  type        = string
  default     = ""
  description = "Your own bucket for the archive. You set its lifecycle rules and its encryption."
}

variable "topic" {
  type        = string
  default     = ""
  description = "Your own topic to publish to, with your own subscriptions and dead letters."
  validation {
    condition     = can(regex("^$|^projects/[^/]+/topics/[^/]+$", var.topic))
    error_message = "topic is projects/PROJECT/topics/NAME."
  }
}

variable "claims_bucket" {
  type        = string
  default     = ""
  description = "Your own bucket for bodies too large for Pub/Sub. You set its lifecycle rules."
}

variable "fallback_bucket" {
  type        = string
  default     = ""
  description = "Your own bucket for the fallback, for the ledger of what was fetched and for traces. The ledger needs uniform bucket-level access. Nothing in fallback/ and ledger/ may expire; what is in traces/ should, after a week."
}

variable "labelbox_secret" {
  type        = string
  default     = ""
  description = "Your own secret in Secret Manager, as you enter it in Labelbox."
  validation {
    condition     = can(regex("^$|^projects/[^/]+/secrets/[^/]+$", var.labelbox_secret))
    error_message = "labelbox_secret is projects/PROJECT/secrets/NAME."
  }
}

variable "label_studio_secret" {
  type        = string
  default     = ""
  description = "Your own secret in Secret Manager, as Label Studio sends it."
  validation {
    condition     = can(regex("^$|^projects/[^/]+/secrets/[^/]+$", var.label_studio_secret))
    error_message = "label_studio_secret is projects/PROJECT/secrets/NAME."
  }
}

variable "kms_key" {
  type        = string
  default     = null
  description = "A customer-managed key for topic and buckets, which the service agents of Pub/Sub and Cloud Storage may use. Without one, Google's own keys are used, free of charge."
}

# Numbers that are raised by one to make a new secret; the one before stays valid.

variable "labelbox_secret_version" {
  type        = number
  default     = 1
  description = "Raise by one to make a new secret for Labelbox."
}

variable "label_studio_secret_version" {
  type        = number
  default     = 1
  description = "Raise by one to make a new secret for Label Studio."
}

# The service

variable "min_instances" {
  type        = number
  default     = 0
  description = "Instances to keep while nothing arrives, at about 10 US dollars a month each. With 1, the first delivery after a pause finds an instance that runs. Label Studio waits one second and never tries again."
}

variable "max_instances" {
  type        = number
  default     = 10
  description = "At most so many instances at a time, each with 80 requests, which bounds what a flood of forged requests costs. The risk is that more are answered 429, forged or not, and Label Studio does not try again."
}

variable "memory" {
  type        = string
  default     = "512Mi"
  description = "Memory of an instance. Bodies are held in it while they arrive: all of them together in LABELRELAY_MAX_BYTES_IN_FLIGHT."
}

variable "log_level" {
  type        = string
  default     = "info"
  description = "error, warn, info or debug. info has one line for each delivery; warn leaves out what went well. No level logs bodies or secrets."
  validation {
    condition     = contains(["error", "warn", "info", "debug"], var.log_level)
    error_message = "log_level is error, warn, info or debug."
  }
}

# Alerts

variable "notification_channels" {
  type        = list(string)
  default     = []
  description = "Notification channels for the alerts. Without one, they only show in Cloud Monitoring."
}

variable "oldest_message_alarm_seconds" {
  type        = number
  default     = 86400
  description = "Alert when a message has waited for a consumer this long."
}

variable "refused_alarm_count" {
  type        = number
  default     = 20
  description = "Alert when more requests than this are refused (4xx) within 5 minutes."
}

# Cost

variable "billing_account" {
  type        = string
  default     = ""
  description = "Billing account of the project, for the budget: 012345-6789AB-CDEF01. Whoever applies needs roles/billing.costsManager on it."
}

variable "monthly_budget" {
  type        = number
  default     = 0
  description = "Tell the notification channels, and the administrators of the billing account, when a month has cost more than this, or is about to, in the account's currency. 0: no budget."
  validation {
    condition     = var.monthly_budget == 0 || var.billing_account != ""
    error_message = "monthly_budget needs billing_account."
  }
}
