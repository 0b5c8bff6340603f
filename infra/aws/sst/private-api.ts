import { privateApiPolicy } from '../topology/policy.ts';
import type { PrivateApi } from '../topology/shapes.ts';
import type { Surroundings } from './functions.ts';
import type { Aws, Pulumi } from './pulumi.ts';

/** Its address is known once it stands. */
export function renderPrivateApi(
  { aws, pulumi, network, where }: Surroundings,
  { apiName, stage, binaryMediaTypes }: PrivateApi,
  made: Aws.lambda.Function,
): Pulumi.Output<string> {
  const vpcEndpoint = pulumi.output(network?.apiEndpoint ?? '');
  const api = new aws.apigateway.RestApi('PrivateApi', {
    name: apiName,
    binaryMediaTypes: [...binaryMediaTypes],
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
