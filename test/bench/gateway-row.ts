import { benchGateway } from './gateway.ts';
import { count, type Measure, ms } from './measure.ts';

/** The gateway beside a bare proxy, as a row of the table. */
export async function benchSplit(): Promise<readonly Measure[]> {
  const { serin, bareProxy, ratio, nginx } = await benchGateway();
  const other = nginx === undefined ? '' : `; nginx ${count(nginx.rps)}/s`;
  return [
    {
      what: 'the gateway, a 90/10 split over two model servers',
      goal: '>= 0.9 of a bare keep-alive Node proxy',
      got: `${ratio.toFixed(2)} (${count(serin.rps)}/s, p99 ${ms(serin.p99)})`,
      beside: `bare proxy ${count(bareProxy.rps)}/s, p99 ${ms(bareProxy.p99)}${other}`,
      met: ratio >= 0.9,
    },
  ];
}
