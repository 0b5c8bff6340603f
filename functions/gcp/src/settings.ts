import { required, type Variables } from '@serin/platform/settings';

/** What an installation says about all that it starts in Vertex AI. */
export function settingsOf(variables: Variables) {
  const optional = (name: string, variable: string) => {
    const value = variables[variable];
    return value === undefined || value === '' ? {} : { [name]: value };
  };
  return {
    installation: {
      project: required(variables, 'SERIN_PROJECT'),
      environment: required(variables, 'SERIN_ENVIRONMENT'),
    },
    /** The id of the Google project. */
    googleProject: required(variables, 'SERIN_GOOGLE_PROJECT'),
    region: required(variables, 'SERIN_REGION'),
    /** E-mail addresses of service accounts. */
    jobAccount: required(variables, 'SERIN_JOB_ACCOUNT'),
    modelAccount: required(variables, 'SERIN_MODEL_ACCOUNT'),
    nodeImage: required(variables, 'SERIN_NODE_IMAGE'),
    ownBucket: required(variables, 'SERIN_BUCKET'),
    /** Of BigQuery, in which endpoints log requests: `<project>.<dataset>.<table>`. */
    captureTable: required(variables, 'SERIN_CAPTURE_TABLE'),
    /** Before the name of each secret of a program, in Secret Manager. */
    secretsPrefix: required(variables, 'SERIN_PROGRAM_SECRETS'),
    /** `projects/<p>/locations/<region>/keyRings/<ring>/cryptoKeys/<key>` */
    ...(optional('kmsKey', 'SERIN_KMS_KEY') as { readonly kmsKey?: string }),
    /** `projects/<number>/global/networks/<name>` */
    ...(optional('network', 'SERIN_NETWORK') as { readonly network?: string }),
    /** All endpoints are on the host of the region, which VPC Service Controls need; else each has its own. */
    sharedEndpoints: (variables.SERIN_SHARED_ENDPOINTS ?? '') !== '',
  };
}

export type Settings = ReturnType<typeof settingsOf>;
