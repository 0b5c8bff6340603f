import { pathToFileURL } from 'node:url';
import { plainOf, type Secrets, secretsOf } from '@serin/core/base/variables';
import type { Deployment } from '@serin/core/ports/serving';
import { servedAs } from '@serin/platform/serving';

export interface ServingPlace {
  readonly endpoint: string;
  readonly port: number;
  readonly modelFolder: string;
  /** A writable folder of this process. */
  readonly scratch: string;
  readonly secrets: Secrets;
  /** PATH, LANG and TZ of the server; nothing else of its environment is handed on. */
  readonly inherited: Readonly<Record<string, string>>;
}

/**
 * The variables by which common servers choose their address: nobody but the gateway is to reach a model server. gunicorn
 * reads `WEB_CONCURRENCY` and `GUNICORN_CMD_ARGS` alone: its address stands in the command.
 */
const loopbackOnly = {
  SERIN_BIND_ADDRESS: '127.0.0.1',
  HOST: '127.0.0.1',
  HOSTNAME: '127.0.0.1',
  UVICORN_HOST: '127.0.0.1',
  FLASK_RUN_HOST: '127.0.0.1',
  BIND: '127.0.0.1',
} as const;

/**
 * The environment of a model server: the serving contracts of SageMaker, Vertex AI and Azure ML at once.
 *
 * The deployment's own variables win over what is inherited, and lose against the contract.
 */
export function servingEnvironment(deployment: Deployment, place: ServingPlace): Readonly<Record<string, string>> {
  const port = String(place.port);
  return {
    LANG: 'C.UTF-8',
    ...place.inherited,
    HOME: place.scratch,
    TMPDIR: place.scratch,
    ...plainOf(deployment.environment),
    ...secretsOf(deployment.environment, place.secrets),
    ...loopbackOnly,
    SAGEMAKER_BIND_TO_PORT: port,
    SM_MODEL_DIR: place.modelFolder,
    AIP_HTTP_PORT: port,
    AIP_HEALTH_ROUTE: '/ping',
    AIP_PREDICT_ROUTE: '/invocations',
    AIP_STORAGE_URI: pathToFileURL(place.modelFolder).href,
    AIP_ENDPOINT_ID: place.endpoint,
    AIP_DEPLOYED_MODEL_ID: deployment.name,
    AZUREML_MODEL_DIR: place.modelFolder,
    PORT: port,
    ...servedAs(place.endpoint, deployment),
  };
}
