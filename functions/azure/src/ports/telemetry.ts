import { captureTimes } from '@serin/clouds/captured';
import { thresholdOf } from '@serin/core/base/measures';
import { minute } from '@serin/core/base/time';
import type { Bucket } from '@serin/core/ports/bucket';
import type { Telemetry } from '@serin/core/ports/telemetry';
import { type CaptureFiles, capturedInFiles, checkCaptured } from '@serin/platform/captured';
import { notYet } from '@serin/platform/faults';
import type { Installation } from '@serin/platform/names';
import { type Counter, closedTicks, percentilesOf, slowOf, ticksOf, wholeSteps } from '@serin/platform/ticks';
import { endpointName, nameOfDeployment } from '../names.ts';
import { type Answered, isError, type SourceOptions } from '../serving/answers.ts';
import { readCollected, requestFolders } from '../serving/captured.ts';
import { mlEndpoints, sharesOf } from '../serving/endpoints.ts';
import { endpointMetrics } from '../serving/metric-data.ts';
import { trafficLog } from '../serving/traffic-log.ts';

interface Options extends SourceOptions {
  readonly installation: Installation;
  readonly now: () => number;
  /** The own container: what endpoints collect is there. */
  readonly bucket: Bucket;
  /** Of Log Analytics; without it, the metrics of the endpoint are read. */
  readonly logWorkspaceId?: string;
}

/**
 * Telemetry of an endpoint of Azure ML, by whole minutes (`tickMs`: a multiple of 60,000): from the traffic log where there
 * is a workspace of Log Analytics, else from metrics.
 *
 * From the log a request counts in the minute in which it was received, a threshold is counted exactly, and a tick is closed
 * 13 minutes after its end, or up to 25 while its counts do not fit together (see `ticksOf`). From metrics a request counts
 * in the minute in which it was sampled, nothing is counted by thresholds, and a tick is closed after 3 to 15 minutes.
 *
 * An error is a request that its caller is not to blame for (see `isError`). Of a model that hangs, Azure ML ends the request
 * at the time-out of its deployment and answers 408. Where nothing of it is counted, it is missing in the share of its
 * deployment, which the judge compares with the configured one. What was refused before a deployment was chosen is not
 * counted. Users, segments and pairs are unknown.
 *
 * Captured requests are what Azure ML collected into the own container. They are read half an hour after the window, by the id
 * that Azure ML gave each; a copy that is written later is left out. Each deployment collects a share of its own.
 */
export function monitorTelemetry(options: Options): Telemetry {
  const { azure, installation, now, bucket, logWorkspaceId, ...place } = options;
  const source =
    logWorkspaceId === undefined ? endpointMetrics({ azure, ...place }) : trafficLog({ azure, logWorkspaceId });
  const endpoints = mlEndpoints({ azure, ...place });
  const counter: Counter = { ...source.counter, errorsOf: ([failed = 0]) => failed, sure: 1 };

  return {
    async ticks(query) {
      const closed = closedTicks(query, counter, now());
      if (closed === undefined) return [];
      const window = { ...closed, endpoint: endpointName(installation, query.endpoint) };
      const thresholds = slowOf(query.measures).map((each) => thresholdOf(each) ?? 0);
      const [answered, endpoint] = await Promise.all([
        source.answered(window, thresholds),
        endpoints.describe(window.endpoint),
      ]);
      if (answered === undefined) return [];
      if (answered === 'unconnected') {
        const old = closedTicks(query, { ...counter, settleMs: connectingMs }, now());
        return old === undefined ? [] : ticksOf([], { ...query, ...old }, counter, now());
      }
      const shares = sharesOf(endpoint?.properties.traffic);
      const known = Map.groupBy(answered, ({ deployment }) => nameOfDeployment(deployment));
      const rows = [...new Set([...known.keys(), ...Object.keys(shares)])].filter(isVersion).map((deployment) => ({
        deployment,
        weight: shares[deployment] ?? 0,
        ...countedOf(known.get(deployment) ?? [], thresholds.length),
      }));
      return ticksOf(rows, { ...query, ...window }, counter, now());
    },

    async latency(endpoint, from, to) {
      const window = wholeSteps({ from, to }, counter, now());
      if (window === undefined) return undefined;
      const measured = await source.latencies({ ...window, endpoint: endpointName(installation, endpoint) });
      if (measured === undefined) throw notYet(`Azure Monitor has only part of the latencies of ${endpoint}`);
      return percentilesOf(
        measured.filter(({ deployment }) => isVersion(deployment)),
        1,
      );
    },

    async captured(query) {
      checkCaptured(query, captureTimes, now());
      const name = endpointName(installation, query.endpoint);
      const mirrors = sharesOf((await endpoints.describe(name))?.properties.mirrorTraffic);
      const folders = await requestFolders(bucket, name, Object.keys(mirrors));
      const readPart: CaptureFiles['readPart'] = (...part) => readCollected(bucket, query.fields, ...part);
      return capturedInFiles({ bucket, folders, lagMs: captureTimes.lagMs, readPart }, query);
    },

    async captureShares(endpoint) {
      const deployed = await endpoints.deployments(endpointName(installation, endpoint));
      return Object.fromEntries(deployed.map(({ name, captured }) => [name, captured]));
    },
  };
}

/**
 * What is not in the log after so long does not come: "it may take up to an hour for the connection to the Log Analytics
 * workspace to be enabled", and rows are 13 minutes late.
 * https://learn.microsoft.com/azure/machine-learning/how-to-monitor-online-endpoints#use-logs
 */
const connectingMs = 73 * minute;

/** Our deployments are named by their versions. What no deployment answered has another name, or none. */
const isVersion = (deployment: string): boolean => /^v\d+$/.test(deployment);

function countedOf(answered: readonly Answered[], thresholds: number) {
  const sumOf = (counts: (row: Answered) => number): ReadonlyMap<number, number> => {
    const sums = new Map<number, number>();
    for (const row of answered) sums.set(row.start, (sums.get(row.start) ?? 0) + counts(row));
    return sums;
  };
  return {
    requests: sumOf(({ requests }) => requests),
    outcomes: [sumOf((row) => (isError(row) ? row.requests : 0))],
    slow: Array.from({ length: thresholds }, (_, index) => sumOf(({ slow }) => slow[index] ?? Number.NaN)),
  };
}
