# Front doors, of which there is one: this file has the function URL, the HTTP API, and the domain of either API;
# rest_api.tf has the REST API. All are public, because neither platform can sign for AWS: the relay itself verifies
# every request.

locals {
  with_url      = var.front_door == "FunctionUrl"
  with_http_api = var.front_door == "HttpApi"
  with_rest_api = var.front_door == "RestApi"
  with_domain   = var.domain_name != ""
  access_logs   = var.access_logs && !local.with_url

  access_log_format = jsonencode({
    requestId = "$context.requestId"
    ip        = "$context.identity.sourceIp"
    time      = "$context.requestTime"
    method    = "$context.httpMethod"
    path      = "$context.path"
    status    = "$context.status"
    error     = "$context.error.message"
  })

  # Where requests come in, up to the source's name.
  base_url = one(concat(
    local.with_domain ? ["https://${var.domain_name}/"] : [],
    local.with_domain ? [] : aws_lambda_function_url.relay[*].function_url,
    local.with_domain ? [] : [for api in aws_apigatewayv2_api.this : "https://${api.id}.execute-api.${local.region}.${local.suffix}/"],
    local.with_domain ? [] : [for api in aws_api_gateway_rest_api.this : "https://${api.id}.execute-api.${local.region}.${local.suffix}/live/"],
  ))
}

resource "aws_lambda_function_url" "relay" {
  #checkov:skip=CKV_AWS_258:neither platform can sign for AWS; the relay itself verifies every request
  count              = local.with_url ? 1 : 0
  function_name      = aws_lambda_function.relay.function_name
  authorization_type = "NONE"
}

# A public URL needs two permissions: for the URL, and for the function through the URL alone. The provider adds the
# first when it makes the URL, and nobody puts that back once it is gone. So it is said here, by a name of its own.
resource "aws_lambda_permission" "url" {
  #checkov:skip=CKV_AWS_301:neither platform can sign for AWS; the relay itself verifies every request
  count                  = local.with_url ? 1 : 0
  statement_id           = "url"
  function_name          = aws_lambda_function.relay.function_name
  action                 = "lambda:InvokeFunctionUrl"
  principal              = "*"
  function_url_auth_type = "NONE"
}

resource "aws_lambda_permission" "function_through_url" {
  #checkov:skip=CKV_AWS_301:through its URL alone, where the relay itself verifies every request
  count                    = local.with_url ? 1 : 0
  statement_id             = "function-through-url"
  function_name            = aws_lambda_function.relay.function_name
  action                   = "lambda:InvokeFunction"
  principal                = "*"
  invoked_via_function_url = true
}

resource "aws_apigatewayv2_api" "this" {
  count                        = local.with_http_api ? 1 : 0
  name                         = var.name
  description                  = "Takes webhooks for the relay."
  protocol_type                = "HTTP"
  disable_execute_api_endpoint = local.with_domain
}

resource "aws_apigatewayv2_integration" "relay" {
  count                  = local.with_http_api ? 1 : 0
  api_id                 = aws_apigatewayv2_api.this[0].id
  integration_type       = "AWS_PROXY"
  integration_method     = "POST"
  integration_uri        = aws_lambda_function.relay.arn
  payload_format_version = "2.0"
}

resource "aws_apigatewayv2_route" "all" {
  #checkov:skip=CKV_AWS_309:neither platform can sign for AWS; the relay itself verifies every request
  count              = local.with_http_api ? 1 : 0
  api_id             = aws_apigatewayv2_api.this[0].id
  route_key          = "$default"
  authorization_type = "NONE"
  target             = "integrations/${aws_apigatewayv2_integration.relay[0].id}"
}

resource "aws_apigatewayv2_stage" "this" {
  #checkov:skip=CKV_AWS_76:the function logs each request itself; access_logs keeps the API's own lines as well
  count       = local.with_http_api ? 1 : 0
  api_id      = aws_apigatewayv2_api.this[0].id
  name        = "$default"
  auto_deploy = true
  dynamic "default_route_settings" {
    for_each = var.requests_per_second[*]
    content {
      throttling_rate_limit  = default_route_settings.value
      throttling_burst_limit = default_route_settings.value
    }
  }
  dynamic "access_log_settings" {
    for_each = aws_cloudwatch_log_group.api[*].arn
    content {
      destination_arn = access_log_settings.value
      format          = local.access_log_format
    }
  }
}

resource "aws_lambda_permission" "api" {
  count         = local.with_url ? 0 : 1
  statement_id  = "api"
  function_name = aws_lambda_function.relay.function_name
  action        = "lambda:InvokeFunction"
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${one(concat(aws_apigatewayv2_api.this[*].execution_arn, aws_api_gateway_rest_api.this[*].execution_arn))}/*"
}

resource "aws_apigatewayv2_domain_name" "this" {
  count       = local.with_domain ? 1 : 0
  domain_name = var.domain_name
  domain_name_configuration {
    certificate_arn = var.certificate_arn
    endpoint_type   = "REGIONAL"
    security_policy = "TLS_1_2"
  }
}

resource "aws_apigatewayv2_api_mapping" "this" {
  count       = local.with_domain ? 1 : 0
  api_id      = one(concat(aws_apigatewayv2_api.this[*].id, aws_api_gateway_rest_api.this[*].id))
  domain_name = aws_apigatewayv2_domain_name.this[0].domain_name
  stage       = one(concat(aws_apigatewayv2_stage.this[*].name, aws_api_gateway_stage.live[*].stage_name))
}

resource "aws_cloudwatch_log_group" "api" {
  #checkov:skip=CKV_AWS_158:logs hold no bodies and no secrets; CloudWatch encrypts them with a key of its own
  #checkov:skip=CKV_AWS_338:log_retention_days keeps them for longer where that is wanted
  count             = local.access_logs ? 1 : 0
  name              = "/aws/apigateway/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = local.encryption_key
}
