import type { InNetwork, Traffic } from '../topology/shapes.ts';
import type { Around, Pulumi } from './pulumi.ts';

export type RenderedNetwork = InNetwork<Pulumi.Input<string>>;

export async function renderNetwork({
  aws,
  topology,
  where,
}: Around & { readonly where: { readonly region: string } }) {
  const { network, settings } = topology;
  if (network === undefined) return typeof settings.network === 'object' ? settings.network : undefined;
  const { names: zones } = await aws.getAvailabilityZones({ state: 'available' });
  const vpc = new aws.ec2.Vpc('Network', {
    cidrBlock: network.cidr,
    enableDnsHostnames: true,
    enableDnsSupport: true,
  });
  const routes = new aws.ec2.RouteTable('Routes', { vpcId: vpc.id });
  const subnets = network.subnets.map((cidrBlock, index) => {
    const subnet = new aws.ec2.Subnet(`Subnet${index}`, {
      vpcId: vpc.id,
      cidrBlock,
      availabilityZone: zones[index] ?? '',
      mapPublicIpOnLaunch: false,
    });
    new aws.ec2.RouteTableAssociation(`Subnet${index}`, { subnetId: subnet.id, routeTableId: routes.id });
    return subnet.id;
  });
  const inside = new aws.ec2.SecurityGroup('Inside', {
    vpcId: vpc.id,
    description: network.inside.says,
    egress: [traffic(network.inside.to)],
    ingress: [traffic(network.inside.from)],
  });
  for (const service of network.gateways)
    new aws.ec2.VpcEndpoint(`Door-${service}`, {
      vpcId: vpc.id,
      serviceName: `com.amazonaws.${where.region}.${service}`,
      vpcEndpointType: 'Gateway',
      routeTableIds: [routes.id],
    });
  const doors = network.interfaces.map((serviceName, index) => ({
    serviceName,
    door: new aws.ec2.VpcEndpoint(`Door${index}`, {
      vpcId: vpc.id,
      serviceName,
      vpcEndpointType: 'Interface',
      privateDnsEnabled: true,
      subnetIds: subnets,
      securityGroupIds: [inside.id],
    }),
  }));
  const api = doors.find(({ serviceName }) => serviceName === network.apiInterface)?.door.id;
  return { subnets, securityGroups: [inside.id], ...(api === undefined ? {} : { apiEndpoint: api }) };
}

const traffic = ({ cidr, says }: Traffic) => ({
  protocol: '-1',
  fromPort: 0,
  toPort: 0,
  cidrBlocks: [cidr],
  description: says,
});
