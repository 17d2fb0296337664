# Before a page: what its reader has by then.
set -euo pipefail
cd "$PAGE"
trap 'labelrelay stop-serving' EXIT
mkdir -p infra/google crates/azure-function/app
BUCKET=bucket QUEUE_URL=https://queue.example.org DEAD_LETTER_QUEUE_URL=https://dead.example.org
SECRET_ARN=arn:aws:secretsmanager:eu-central-1:123456789012:secret:labelbox TOKEN=token OWNER=owner SECRET=secret

