# labelrelay on Google Cloud: webhooks of Labelbox and Label Studio, verified over their raw bytes and
# published to Pub/Sub before they are answered. README.md says how to deploy; docs/google.md explains
# consuming, rotating, cost and failures.

terraform {
  # Write-only arguments, by which generated secrets stay out of the state, came with 1.11.
  required_version = ">= 1.11"
  required_providers {
    google = {
      source = "hashicorp/google"
      # 8 brought deletion_policy to topics and buckets.
      version = "~> 8.7"
    }
    random = {
      source  = "hashicorp/random"
      version = "~> 3.7"
    }
  }
}

provider "google" {
  project = var.project
  region  = var.region
  # Bills tell this from the project's other resources by it.
  default_labels = {
    application = var.name
  }
}
