# The REST API, for those who want to refuse addresses, or have a firewall, before anything is invoked.

locals {
  rest_integration = {
    type       = "aws_proxy"
    httpMethod = "POST"
    uri        = aws_lambda_function.relay.invoke_arn
  }
  rest_methods = {
    for method in ["get", "post"] : method => {
      responses                         = {}
      "x-amazon-apigateway-integration" = local.rest_integration
    }
  }
  rest_definition = jsonencode({
    openapi = "3.0.1"
    info    = { title = var.name, version = "1" }
    paths = {
      "/" = local.rest_methods
      "/{proxy+}" = merge(local.rest_methods, {
        parameters = [{ name = "proxy", in = "path", required = true, schema = { type = "string" } }]
      })
    }
  })
}

resource "aws_api_gateway_rest_api" "this" {
  #checkov:skip=CKV_AWS_237:nothing that can be set here replaces it, and another API would have another URL
  count = local.with_rest_api ? 1 : 0
  name  = var.name
  # With a domain, the API has no other address, as the HTTP API has none.
  disable_execute_api_endpoint = local.with_domain
  # Every body is handed over as the bytes that were sent, and not as the text that API Gateway takes them for.
  binary_media_types = ["*/*"]
  body               = local.rest_definition
  # Another definition in the place of this one would take the policy below away, and the API would be open to all.
  put_rest_api_mode = "merge"
  endpoint_configuration {
    types = ["REGIONAL"]
  }
}

# There is one without addresses too, which lets in everybody, as no policy does. Terraform would remove a policy only after
# it has deployed the API again, and the deployment would go on refusing.
resource "aws_api_gateway_rest_api_policy" "this" {
  count       = local.with_rest_api ? 1 : 0
  rest_api_id = aws_api_gateway_rest_api.this[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [merge(
      {
        Effect    = "Allow"
        Principal = "*"
        Action    = "execute-api:Invoke"
        Resource  = "${aws_api_gateway_rest_api.this[0].execution_arn}/*"
      },
      length(var.api_allowed_addresses) > 0 ? { Condition = { IpAddress = { "aws:SourceIp" = var.api_allowed_addresses } } } : {},
    )]
  })
}

# Other addresses, and a closed one of its own, have no effect until the API is deployed again.
resource "aws_api_gateway_deployment" "this" {
  count       = local.with_rest_api ? 1 : 0
  rest_api_id = aws_api_gateway_rest_api.this[0].id
  triggers = {
    definition = sha256(local.rest_definition)
    addresses  = join(",", var.api_allowed_addresses)
    domain     = local.with_domain
  }
  lifecycle {
    create_before_destroy = true
  }
  depends_on = [aws_api_gateway_rest_api_policy.this]
}

resource "aws_api_gateway_stage" "live" {
  #checkov:skip=CKV_AWS_73:traces cost as much as invocations; the function writes what became of each request, and how long it took
  #checkov:skip=CKV_AWS_76:the function logs each request itself; access_logs keeps the API's own lines as well
  #checkov:skip=CKV_AWS_120:each request is another delivery, so that no answer can be cached
  #checkov:skip=CKV2_AWS_4:the function logs each request itself; access_logs keeps the API's own lines as well
  #checkov:skip=CKV2_AWS_29:a firewall of yours is attached to the stage, which docs/aws.md describes
  #checkov:skip=CKV2_AWS_51:neither platform has a certificate of a client; the relay itself verifies every request
  count         = local.with_rest_api ? 1 : 0
  rest_api_id   = aws_api_gateway_rest_api.this[0].id
  deployment_id = aws_api_gateway_deployment.this[0].id
  stage_name    = "live"
  dynamic "access_log_settings" {
    for_each = aws_cloudwatch_log_group.api[*].arn
    content {
      destination_arn = access_log_settings.value
      format          = local.access_log_format
    }
  }
}

resource "aws_api_gateway_method_settings" "all" {
  #checkov:skip=CKV_AWS_225:each request is another delivery, so that no answer can be cached
  #checkov:skip=CKV_AWS_308:each request is another delivery, so that no answer can be cached
  count       = local.with_rest_api && var.requests_per_second != null ? 1 : 0
  rest_api_id = aws_api_gateway_rest_api.this[0].id
  stage_name  = aws_api_gateway_stage.live[0].stage_name
  method_path = "*/*"
  settings {
    throttling_rate_limit  = var.requests_per_second
    throttling_burst_limit = var.requests_per_second
  }
}
