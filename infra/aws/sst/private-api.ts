import { privateApiPolicy } from '../topology/policy.ts';
import type { Trigger } from '../topology/shapes.ts';
import type { Surroundings } from './functions.ts';
import type { Aws, Pulumi } from './pulumi.ts';

/** An API that only one VPC endpoint reaches; HTTP APIs and function URLs cannot be private. Answers its address. */
export function renderPrivateApi(
  { aws, pulumi, network, where }: Surroundings,
  { apiName, stage }: Extract<Trigger, { readonly kind: 'privateApi' }>,
  made: Aws.lambda.Function,
): Pulumi.Output<string> {
  const vpcEndpoint = pulumi.output(network?.apiEndpoint ?? '');
  const api = new aws.apigateway.RestApi('PrivateApi', {
    name: apiName,
    // Else a REST API takes every body for text, and bytes that are no UTF-8 arrive as others.
    // https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings.html
    binaryMediaTypes: ['*/*'],
    endpointConfiguration: { types: 'PRIVATE', vpcEndpointIds: [vpcEndpoint] },
    policy: vpcEndpoint.apply((id) => JSON.stringify(privateApiPolicy(id))),
  });
  const proxy = new aws.apigateway.Resource('PrivateApi', {
    restApi: api.id,
    parentId: api.rootResourceId,
    pathPart: '{proxy+}',
  });
  const integrations = [api.rootResourceId, proxy.id].map((resourceId, index) => {
    const method = new aws.apigateway.Method(`PrivateApi${index}`, {
      restApi: api.id,
      resourceId,
      httpMethod: 'ANY',
      authorization: 'NONE',
    });
    return new aws.apigateway.Integration(`PrivateApi${index}`, {
      restApi: api.id,
      resourceId,
      httpMethod: method.httpMethod,
      type: 'AWS_PROXY',
      integrationHttpMethod: 'POST',
      uri: made.invokeArn,
    });
  });
  const deployment = new aws.apigateway.Deployment('PrivateApi', { restApi: api.id }, { dependsOn: integrations });
  new aws.apigateway.Stage('PrivateApi', { restApi: api.id, deployment: deployment.id, stageName: stage });
  new aws.lambda.Permission('PrivateApi', {
    function: made.name,
    action: 'lambda:InvokeFunction',
    principal: 'apigateway.amazonaws.com',
    sourceArn: pulumi.interpolate`${api.executionArn}/*`,
  });
  return pulumi.interpolate`https://${api.id}-${vpcEndpoint}.execute-api.${where.region}.${where.urlSuffix}/${stage}`;
}
