"""Front doors of template.yaml, in the Terraform module."""

import json

from aws_properties import blocks, number


class Doors:
    """A part of `Pairs`."""

    def AWS_Lambda_Url(self, address, of):
        return {
            address: of.renamed({"AuthType": "authorization_type", "TargetFunctionArn": "function_name"}),
        }

    def AWS_Lambda_Permission(self, address, of):
        return {
            address: of.renamed({
                "FunctionName": "function_name",
                "Action": "action",
                "Principal": "principal",
                "SourceArn": "source_arn",
                "FunctionUrlAuthType": "function_url_auth_type",
                "InvokedViaFunctionUrl": "invoked_via_function_url",
            })
        }  # fmt: skip

    def AWS_ApiGatewayV2_Api(self, address, of):
        return {
            address: of.renamed({
                "Name": "name",
                "Description": "description",
                "ProtocolType": "protocol_type",
                "DisableExecuteApiEndpoint": "disable_execute_api_endpoint",
            })
        }  # fmt: skip

    def AWS_ApiGatewayV2_Integration(self, address, of):
        return {
            address: of.renamed({
                "ApiId": "api_id",
                "IntegrationType": "integration_type",
                "IntegrationMethod": "integration_method",
                "IntegrationUri": "integration_uri",
                "PayloadFormatVersion": "payload_format_version",
            })
        }  # fmt: skip

    def AWS_ApiGatewayV2_Route(self, address, of):
        return {
            address: of.renamed({
                "ApiId": "api_id",
                "RouteKey": "route_key",
                "AuthorizationType": "authorization_type",
                "Target": "target",
            })
        }  # fmt: skip

    def AWS_ApiGatewayV2_Stage(self, address, of):
        return {
            address: {
                **of.renamed({"ApiId": "api_id", "StageName": "name", "AutoDeploy": "auto_deploy"}),
                "default_route_settings": blocks(self.rate(of.take("DefaultRouteSettings", {}))),
                "access_log_settings": blocks(self.access_logs(of.take("AccessLogSettings", {}))),
            }
        }

    def rate(self, of):
        return {
            "throttling_rate_limit": number(of.get("ThrottlingRateLimit")),
            "throttling_burst_limit": number(of.get("ThrottlingBurstLimit")),
        }

    def access_logs(self, of):
        # The group itself, and not its streams.
        return {"destination_arn": of.get("DestinationArn", "").removesuffix(":*"), "format": of.get("Format")}

    def AWS_ApiGatewayV2_DomainName(self, address, of):
        (one,) = of.take("DomainNameConfigurations")
        return {
            address: {
                "domain_name": of.take("DomainName"),
                "domain_name_configuration": [{
                    "certificate_arn": one["CertificateArn"],
                    "endpoint_type": one["EndpointType"],
                    "security_policy": one["SecurityPolicy"],
                }],
            }
        }  # fmt: skip

    def AWS_ApiGatewayV2_ApiMapping(self, address, of):
        return {address: of.renamed({"ApiId": "api_id", "DomainName": "domain_name", "Stage": "stage"})}

    def AWS_Serverless_Api(self, address, of):
        api, stage = self.made(address, "id"), of.take("StageName")
        # How SAM writes and deploys it; Terraform has other ways.
        assert of.take("OpenApiVersion") and of.take("AlwaysDeploy")
        (settings,) = of.take("MethodSettings")
        # Where OpenAPI has a place for what is an argument of Terraform.
        body = of.take("DefinitionBody")
        endpoint = [one["x-amazon-apigateway-endpoint-configuration"] for one in body.pop("servers", [])]
        asked = {
            address: {
                "name": of.take("Name"),
                "endpoint_configuration": [{"types": [of.take("EndpointConfiguration")["Type"]]}],
                "binary_media_types": [kind.replace("~1", "/") for kind in of.take("BinaryMediaTypes")],
                "body": body,
                "disable_execute_api_endpoint": any(one["disableExecuteApiEndpoint"] for one in endpoint),
            },
            "aws_api_gateway_deployment.this[0]": {"rest_api_id": api},
            "aws_api_gateway_stage.live[0]": {
                "rest_api_id": api,
                "deployment_id": self.made("aws_api_gateway_deployment.this[0]", "id"),
                "stage_name": stage,
                "access_log_settings": blocks(self.access_logs(of.take("AccessLogSetting", {}))),
            },
        }
        if "ThrottlingRateLimit" in settings:
            asked["aws_api_gateway_method_settings.all[0]"] = {
                "rest_api_id": api,
                "stage_name": stage,
                "method_path": settings["HttpMethod"] + settings["ResourcePath"],
                "settings": [self.rate(settings)],
            }
        # Without addresses, the module has a policy that lets in everybody, where the template has none.
        everybody = {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"}
        policy = of.take("Policy") or {"Version": "2012-10-17", "Statement": [everybody]}
        own = self.made(address, "execution_arn")
        policy = json.loads(json.dumps(policy).replace("execute-api:/*", f"{own}/*"))
        asked["aws_api_gateway_rest_api_policy.this[0]"] = {"rest_api_id": api, "policy": policy}
        return asked
