import { type Mends, refusalsBy } from '../refusals.ts';

interface About {
  readonly account: string;
  /** Absent: it is about the Google project. */
  readonly bucket?: string;
}

/** What Google says when nothing can be deployed yet, and what mends it. */
const mends: Mends<About> = [
  [
    /could not find default credentials|invalid_grant|reauth|invalid authentication|Invalid Credentials|UNAUTHENTICATED/i,
    () => "Google does not know who you are: run 'gcloud auth application-default login'",
  ],
  [
    /billing/i,
    ({ account }) =>
      `billing is off in the Google project ${account}: run 'gcloud billing projects link ${account} --billing-account=<account>', and wait some minutes`,
  ],
  [
    /SERVICE_DISABLED|has not been used in project|it is disabled|accessNotConfigured/,
    ({ account }, text) =>
      `an API is off in the Google project ${account}: run 'gcloud services enable ${/([a-z]+\.googleapis\.com)/.exec(text)?.[1] ?? 'cloudresourcemanager.googleapis.com'} --project=${account}', and wait some minutes`,
  ],
  [
    /bucket does not exist|bucket.*not.*found/i,
    ({ account, bucket }) =>
      `there is no bucket ${bucket} for the state of the team: make it as 'serin plan --cloud gcp' says under "by hand", or correct googleProject, which is '${account}'`,
  ],
  [
    /does not have .*access|permission|forbidden|may not exist|not found|denied/i,
    ({ account, bucket }) =>
      bucket === undefined
        ? `the Google project ${account} does not exist, or you may not see it: correct googleProject in serin.gcp.json, or look by 'gcloud projects describe ${account}'`
        : `you may not read and write gs://${bucket}: ask its owner for roles/storage.objectUser on it`,
  ],
];

/** What Google throws, with what mends it. */
export const refusalOf = refusalsBy<About>({
  mends,
  ofState: ({ bucket }) => bucket !== undefined,
  errorName: 'GoogleError',
});
