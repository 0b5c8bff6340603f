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
import type { InNetwork, Topology, Traffic } from '../topology/shapes.ts';

export type RenderedNetwork = InNetwork<string>;

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
    groupDescription: network.inside.says,
    securityGroupEgress: [traffic(network.inside.to)],
    securityGroupIngress: [traffic(network.inside.from)],
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
  const api = doors.find(({ serviceName }) => serviceName === network.apiInterface);
  return {
    subnets,
    securityGroups: [inside.attrGroupId],
    ...(api === undefined ? {} : { apiEndpoint: api.ref }),
  };
}

const traffic = ({ cidr, says }: Traffic) => ({ ipProtocol: '-1', cidrIp: cidr, description: says });
