import { Fn } from 'aws-cdk-lib';
import {
  CfnRouteTable,
  CfnSecurityGroup,
  CfnSubnet,
  CfnSubnetRouteTableAssociation,
  CfnVPC,
  CfnVPCEndpoint,
} from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';
import type { Topology } from '../topology/shapes.ts';

/** Where functions and jobs live; absent: outside of any network of ours. */
export interface RenderedNetwork {
  readonly subnets: readonly string[];
  readonly securityGroups: readonly string[];
  /** Of the API that only this network reaches. */
  readonly apiEndpoint?: string;
}

export function renderNetwork(scope: Construct, { network, settings }: Topology): RenderedNetwork | undefined {
  if (network === undefined) return typeof settings.network === 'object' ? settings.network : undefined;
  const vpc = new CfnVPC(scope, 'Network', {
    cidrBlock: network.cidr,
    enableDnsHostnames: true,
    enableDnsSupport: true,
  });
  const routes = new CfnRouteTable(scope, 'Routes', { vpcId: vpc.ref });
  const subnets = network.subnets.map((cidrBlock, zone) => {
    const subnet = new CfnSubnet(scope, `Subnet${zone}`, {
      vpcId: vpc.ref,
      cidrBlock,
      availabilityZone: Fn.select(zone, Fn.getAzs()),
      mapPublicIpOnLaunch: false,
    });
    new CfnSubnetRouteTableAssociation(scope, `Subnet${zone}Routes`, {
      subnetId: subnet.ref,
      routeTableId: routes.ref,
    });
    return subnet.ref;
  });
  const inside = new CfnSecurityGroup(scope, 'Inside', {
    vpcId: vpc.ref,
    groupDescription: 'Serin: functions, jobs and models; HTTPS to the doors of the services, and among themselves',
    // Instances of one job talk to each other on any port.
    // https://docs.aws.amazon.com/sagemaker/latest/dg/train-vpc.html
    securityGroupEgress: [
      { ipProtocol: '-1', cidrIp: '0.0.0.0/0', description: 'there is no way out of this network' },
    ],
    securityGroupIngress: [{ ipProtocol: '-1', cidrIp: network.cidr, description: 'this network' }],
  });
  for (const service of network.gateways)
    new CfnVPCEndpoint(scope, `Door-${service}`, {
      vpcId: vpc.ref,
      serviceName: Fn.join('', ['com.amazonaws.', Fn.ref('AWS::Region'), `.${service}`]),
      vpcEndpointType: 'Gateway',
      routeTableIds: [routes.ref],
    });
  const doors = network.interfaces.map(
    (serviceName, index) =>
      new CfnVPCEndpoint(scope, `Door${index}`, {
        vpcId: vpc.ref,
        serviceName,
        vpcEndpointType: 'Interface',
        privateDnsEnabled: true,
        subnetIds: subnets,
        securityGroupIds: [inside.attrGroupId],
      }),
  );
  const api = doors.find(({ serviceName }) => serviceName?.endsWith('.execute-api'));
  return {
    subnets,
    securityGroups: [inside.attrGroupId],
    ...(api === undefined ? {} : { apiEndpoint: api.ref }),
  };
}
