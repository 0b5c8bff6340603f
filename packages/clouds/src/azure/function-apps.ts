/** The function apps of an installation: each is one bundle, with an identity of its own. */
export const functionApps = {
  signals: { timeoutSeconds: 120 },
  api: { timeoutSeconds: 60 },
  clock: { timeoutSeconds: 60 },
  deadLetters: { timeoutSeconds: 60 },
} as const satisfies Readonly<Record<string, { readonly timeoutSeconds: number }>>;

export type FunctionApp = keyof typeof functionApps;

/** A duration as .NET reads it: under an hour. */
const duration = (seconds: number): string =>
  `00:${String(Math.floor(seconds / 60)).padStart(2, '0')}:${String(seconds % 60).padStart(2, '0')}`;

/**
 * The `host.json` of a function app, beside its bundle.
 *
 * An instance takes one message or request at a time: what it stands on counts the time of one. The host kills an
 * instance that takes longer than the time after which we no longer begin anything, and half a minute.
 *
 * https://learn.microsoft.com/azure/azure-functions/functions-host-json
 */
export const hostOf = (app: FunctionApp) => ({
  version: '2.0',
  functionTimeout: duration(functionApps[app].timeoutSeconds + 30),
  // What a function writes to its standard output is of the category Host.Function.Console.
  logging: {
    logLevel: {
      default: 'Warning',
      'Host.Function.Console': 'Information',
      // An alarm looks whether the clock runs; of the others only what failed is a row.
      'Host.Results': app === 'clock' ? 'Information' : 'Error',
    },
    applicationInsights: { samplingSettings: { isEnabled: false } },
  },
  concurrency: { dynamicConcurrencyEnabled: false, snapshotPersistenceEnabled: false },
  extensionBundle: { id: 'Microsoft.Azure.Functions.ExtensionBundle', version: '[4.0.0, 5.0.0)' },
  extensions: {
    // https://learn.microsoft.com/azure/azure-functions/functions-bindings-http-webhook#hostjson-settings
    http: { routePrefix: '', maxConcurrentRequests: 1, dynamicThrottlesEnabled: false },
    // https://learn.microsoft.com/azure/azure-functions/functions-bindings-service-bus#hostjson-settings
    serviceBus: {
      prefetchCount: 0,
      autoCompleteMessages: true,
      maxAutoLockRenewalDuration: duration(functionApps[app].timeoutSeconds + 60),
      maxConcurrentCalls: 1,
    },
  },
});
