import { join } from 'node:path';
import { clouds } from '../../scripts/bundle.ts';
import type { Bench } from './bench.ts';

/** What makes the clients of a package. Each is made as the README of its package does, with a project and no key. */
const clients = {
  aiplatform: ['v1.JobServiceClient', 'v1.EndpointServiceClient', 'v1.ModelServiceClient'],
  firestore: ['Firestore'],
  monitoring: ['MetricServiceClient'],
  pubsub: ['PubSub'],
  storage: ['Storage'],
} as const;
type Package = keyof typeof clients;

function bareClients(packages: readonly Package[]): string {
  const imports = packages.map((name) => `import * as ${name} from '@google-cloud/${name}';`);
  const made = packages.flatMap((name) => clients[name].map((client) => `new ${name}.${client}({ projectId: 'p' })`));
  return `${imports.join('\n')}\nexport const made = [${made.join(', ')}];`;
}

const framework = join(clouds.gcp.source, '..', 'node_modules', '@google-cloud', 'functions-framework');

export const gcp: Bench = {
  cloud: 'gcp',
  // The clients of Vertex AI alone start in seconds.
  rounds: 7,
  maxKb: 500,
  maxRatio: 1,
  environment: {
    SERIN_PROJECT: 'bench',
    SERIN_ENVIRONMENT: 'bench',
    SERIN_GOOGLE_PROJECT: 'bench-project',
    SERIN_REGION: 'europe-west4',
    SERIN_DATABASE: 'projects/bench-project/databases/bench',
    SERIN_BUCKET: 'own',
    SERIN_CAPTURE_TABLE: 'bench-project.serin_bench_bench_captures.requests',
    SERIN_PROGRAM_SECRETS: 'bench-programs-',
    SERIN_SECRETS: 'projects/bench-project/secrets/bench',
    SERIN_TOPIC: 'projects/bench-project/topics/signals',
    SERIN_BUS: 'projects/bench-project/topics/bus',
    SERIN_JOB_ACCOUNT: 'job@bench-project.iam.gserviceaccount.com',
    SERIN_MODEL_ACCOUNT: 'model@bench-project.iam.gserviceaccount.com',
    SERIN_NODE_IMAGE: 'europe-docker.pkg.dev/bench-project/serin/node:24-slim',
    SERIN_PUSH_ACCOUNT: 'push@bench-project.iam.gserviceaccount.com',
    SERIN_AUDIENCE: 'https://europe-west4-bench-project.cloudfunctions.net/',
    SERIN_ADMIN_TOKEN_HASH: '0'.repeat(64),
    SERIN_TIMEOUT_SECONDS: '60',
    SERIN_VERSION: '0',
    K_SERVICE: 'bench',
    METADATA_SERVER_DETECTION: 'none',
  },
  bare: { title: 'a bare function', code: 'export const bare = (request, response) => response.send();' },
  functions: {
    signals: { composes: 'composeWorker', clients: bareClients(Object.keys(clients) as Package[]) },
    api: { composes: 'composeApi', clients: bareClients(['firestore', 'pubsub', 'storage']) },
    clock: { composes: 'composeClock', clients: bareClients(['firestore', 'pubsub']) },
    deadLetters: { composes: 'composeClock', clients: bareClients(['firestore', 'pubsub']) },
  },
  peers: [{ title: "Google's own clients bare", plain: true }],
  // The framework, which the buildpack brings, serves each of them. A peer has no function: a bare one is served.
  starts: (file) => `
    const { http } = require(${JSON.stringify(framework)});
    const { getTestServer } = require(${JSON.stringify(join(framework, 'build', 'src', 'testing.js'))});
    const { made, ...functions } = require(${JSON.stringify(file)});
    http('served', Object.values(functions)[0] ?? ((_request, response) => response.send()));
    getTestServer('served').listen(0, '127.0.0.1', up);`,
};
