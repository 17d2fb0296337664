"""What Google Cloud answers, as far as `infra/google` asks."""

PROJECT = "a-project"
NUMBER = "123456789012"

# Optional arguments that the cloud fills in where they are left out.
COMPUTED = ("id", "project", "region", "location", "name")

# The same of blocks inside a resource.
COMPUTED_INSIDE = ()

# Arguments of the provider itself.
PROVIDER = {"project": "string", "region": "string", "default_labels": ["map", "string"]}
PROVIDER_BLOCKS = {}

# Changes of these make the real provider replace the resource.
REPLACED_BY = {"google_secret_manager_secret_version": "secret_data_wo_version"}


def identity(kind, value):
    given = (value.get(key) for key in ("secret_id", "account_id", "name"))
    name = next((text for text in given if isinstance(text, str)), "unnamed")
    place = value.get("location")
    paths = {
        "google_pubsub_topic": f"projects/{PROJECT}/topics/{name}",
        "google_pubsub_subscription": f"projects/{PROJECT}/subscriptions/{name}",
        "google_secret_manager_secret": f"projects/{PROJECT}/secrets/{name}",
        "google_cloud_run_v2_job": f"projects/{PROJECT}/locations/{place}/jobs/{name}",
        "google_cloud_run_v2_service": f"projects/{PROJECT}/locations/{place}/services/{name}",
    }
    return paths.get(kind, f"{kind}/{name}")


def answers(kind, value, _count):
    email = f"{value.get('account_id')}@{PROJECT}.iam.gserviceaccount.com"
    return {
        "id": identity(kind, value),
        "uri": f"https://{value.get('name')}-{NUMBER}.example.run.app",
        "email": email,
        "member": f"serviceAccount:{email}",
        "number": NUMBER,
        "project": PROJECT,
    }
