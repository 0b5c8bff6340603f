import { Aws } from 'aws-cdk-lib';
import { CfnDeployment, CfnMethod, CfnResource, CfnRestApi, CfnStage } from 'aws-cdk-lib/aws-apigateway';
import { type CfnFunction, CfnPermission } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { privateApiPolicy } from '../topology/policy.ts';
import type { PrivateApi } from '../topology/shapes.ts';

/** Returns its address. */
export function renderPrivateApi(
  scope: Construct,
  { apiName, stage, binaryMediaTypes }: PrivateApi,
  made: CfnFunction,
  vpcEndpoint: string,
): string {
  const api = new CfnRestApi(scope, 'PrivateApi', {
    name: apiName,
    binaryMediaTypes: [...binaryMediaTypes],
    endpointConfiguration: { types: ['PRIVATE'], vpcEndpointIds: [vpcEndpoint] },
    policy: privateApiPolicy(vpcEndpoint),
  });
  const proxy = new CfnResource(scope, 'PrivateApiPath', {
    restApiId: api.ref,
    parentId: api.attrRootResourceId,
    pathPart: '{proxy+}',
  });
  const methods = [api.attrRootResourceId, proxy.ref].map(
    (resourceId, index) =>
      new CfnMethod(scope, `PrivateApiMethod${index}`, {
        restApiId: api.ref,
        resourceId,
        httpMethod: 'ANY',
        authorizationType: 'NONE',
        integration: {
          type: 'AWS_PROXY',
          integrationHttpMethod: 'POST',
          uri: `arn:${Aws.PARTITION}:apigateway:${Aws.REGION}:lambda:path/2015-03-31/functions/${made.attrArn}/invocations`,
        },
      }),
  );
  const deployment = new CfnDeployment(scope, 'PrivateApiDeployment', { restApiId: api.ref });
  for (const method of methods) deployment.addResourceDependency(method);
  new CfnStage(scope, 'PrivateApiStage', { restApiId: api.ref, deploymentId: deployment.ref, stageName: stage });
  new CfnPermission(scope, 'PrivateApiPermission', {
    functionName: made.ref,
    action: 'lambda:InvokeFunction',
    principal: 'apigateway.amazonaws.com',
    sourceArn: `arn:${Aws.PARTITION}:execute-api:${Aws.REGION}:${Aws.ACCOUNT_ID}:${api.ref}/*`,
  });
  return `https://${api.ref}-${vpcEndpoint}.execute-api.${Aws.REGION}.${Aws.URL_SUFFIX}/${stage}`;
}
