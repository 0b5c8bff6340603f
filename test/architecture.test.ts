import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { circlesIn, graphOf, imports, levelsOf, root, saidIn, sources, withoutComments } from './imports.ts';

/** Who may import whom: the whole rule as data. A name ending in `/` allows everything below it. */
const rules: Readonly<Record<string, { readonly may: readonly string[]; readonly never?: readonly RegExp[] }>> = {
  'packages/core/src': {
    may: ['zod', '@noble/hashes/'],
    never: [
      /\bDate\.now\b/,
      /\bMath\.random\b/,
      /\bprocess\b\./,
      /\bnew Date\(\)/,
      /\bperformance\.(now|mark|measure|timeOrigin)\b/,
      /\bsetTimeout\b/,
    ],
  },
  // Plain data of the clouds; whoever deploys there or plans for it reads it.
  'packages/clouds/src': { may: ['@serin/core/'], never: [/\bprocess\b\./, /\bDate\.now\b/] },
  // Bytes to profiles: pure but for inflating.
  'packages/profile/src': {
    may: ['@serin/core/', 'node:zlib'],
    never: [/\bprocess\b\./, /\bDate\.now\b/, /\bMath\.random\b/, /\bnew Date\(\)/],
  },
  'packages/api/src': {
    may: ['@serin/core/', '@serin/page/page', 'hono', 'hono/', 'zod'],
    never: [/\bDate\.now\b/, /\bMath\.random\b/, /\bprocess\.env\b/, /\bnew Date\(\)/],
  },
  // The page knows the API only over HTTP, and the browser gets what it draws from here.
  'packages/page/src': {
    may: ['@serin/core/', 'hono/html'],
    never: [/\bDate\.now\b/, /\bMath\.random\b/, /\bprocess\b\./, /\bnew Date\(\)/],
  },
  'packages/page/browser': { may: ['@serin/core/', 'hono/html'] },
  // What every platform does the same way: no SDK, no environment, no vendor's name.
  'packages/platform/src': {
    may: [
      '@serin/core/',
      '@serin/api/',
      '@serin/profile/',
      'node:crypto',
      'node:dns/promises',
      'node:http',
      'node:https',
      'node:net',
      'node:stream/consumers',
      'node:stream/promises',
      'node:timers/promises',
      'node:zlib',
    ],
    never: [
      /\bDate\.now\b/,
      /\bMath\.random\b/,
      /\bprocess\b\./,
      /\bnew Date\(\)/,
      /\b(aws|amazon|azure|gcp|google|sagemaker|vertex|lambda|cloudwatch|sqs|sns|dynamodb|eventbridge|arn)\b/i,
    ],
  },
  'packages/local/src': {
    may: ['@serin/core/', '@serin/api/', '@serin/platform/', '@serin/profile/', '@hono/node-server', 'hono', 'node:'],
  },
  'functions/aws/src': {
    may: [
      '@serin/core/',
      '@serin/clouds/',
      '@serin/api/',
      '@serin/platform/',
      'hono',
      'hono/',
      'aws-lambda',
      '@aws-sdk/client-application-auto-scaling',
      '@aws-sdk/client-cloudwatch',
      '@aws-sdk/client-cloudwatch-logs',
      '@aws-sdk/client-dynamodb',
      '@aws-sdk/client-eventbridge',
      '@aws-sdk/client-s3',
      '@aws-sdk/client-sagemaker',
      '@aws-sdk/client-sqs',
      '@aws-sdk/credential-provider-env',
      '@smithy/signature-v4',
      'node:',
    ],
  },
  // Google is called over REST, without its clients.
  'functions/gcp/src': {
    may: ['@serin/core/', '@serin/clouds/', '@serin/api/', '@serin/platform/', 'hono', 'jose', 'node:'],
  },
  // Azure is called over REST; only what speaks AMQP needs a client.
  'functions/azure/src': {
    may: [
      '@serin/core/',
      '@serin/clouds/',
      '@serin/api/',
      '@serin/platform/',
      'hono',
      'jose',
      '@azure/functions',
      '@azure/service-bus',
      'node:',
    ],
  },
  'infra/shared': { may: ['@pulumi/pulumi', '@serin/core/'], never: [/\bprocess\b\./, /\bDate\.now\b/] },
  // Plain data: `serin plan` reads it as well.
  'infra/aws/topology': { may: ['@serin/core/', '@serin/clouds/'], never: [/\bprocess\b\./, /\bDate\.now\b/] },
  'infra/gcp/topology': { may: ['@serin/core/', '@serin/clouds/'], never: [/\bprocess\b\./, /\bDate\.now\b/] },
  'infra/azure/topology': { may: ['@serin/core/', '@serin/clouds/'], never: [/\bprocess\b\./, /\bDate\.now\b/] },
  'packages/cli/src': {
    may: [
      '@serin/core/',
      '@serin/clouds/',
      '@serin/api/',
      '@serin/local/',
      'commander',
      'yaml',
      'hono/client',
      'node:',
      'serin',
    ],
  },
};

test.each(Object.entries(rules))(
  '%s imports only what it may, and touches nothing that it must not',
  (folder, { may, never = [] }) => {
    const offences = sources(folder).flatMap((file) => {
      const source = withoutComments(readFileSync(file, 'utf8'));
      const foreign = imports(source).filter(
        (name) =>
          !name.startsWith('.') &&
          !may.some(
            (allowed) =>
              name === allowed ||
              (allowed.endsWith('/') && name.startsWith(allowed)) ||
              (allowed === 'node:' && name.startsWith('node:')),
          ),
      );
      const touched = never.filter((pattern) => pattern.test(source)).map(String);
      return [...foreign, ...touched].map((what) => `${relative(root, file)}: ${what}`);
    });

    expect(sources(folder).length).toBeGreaterThan(0);
    expect(offences).toEqual([]);
  },
);

/** Where core may say a vendor's name: as the user's own word, or as a convention that programs already follow. */
const vendorWords = [
  'packages/core/src/config/platforms.ts', // A config names an image for each platform.
  'packages/core/src/config/hyperparameters.ts', // Names that a toolkit reserves.
  'packages/core/src/job-contract/', // What the programs of users already speak.
];

test("core's code knows no vendor: what a cloud is like stands in packages/clouds", () => {
  const vendor =
    /\b(aws|amazon|sagemaker|dynamo(db)?|cloudwatch|gcp|google|vertex|firestore|azure|cosmos)(?![a-z])|sagemaker_/i;

  const offences = sources('packages/core/src')
    .map((file) => relative(root, file))
    .filter((file) => !vendorWords.some((allowed) => file.startsWith(allowed)))
    .filter((file) => vendor.test(withoutComments(readFileSync(join(root, file), 'utf8'))));

  expect(offences).toEqual([]);
});

test('a cloud is a folder: nowhere is there a branch on the name of one', () => {
  const branch = /[!=]==? '(aws|gcp|azure)'|case '(aws|gcp|azure)'/;

  const offences = [...Object.keys(rules), 'infra/aws', 'infra/gcp', 'infra/azure']
    .flatMap(sources)
    .filter((file) => branch.test(withoutComments(readFileSync(file, 'utf8'))))
    .map((file) => relative(root, file));

  expect(offences).toEqual([]);
});

/** What is reached by its path: infra is one package, and the command takes types of it. */
const neighbours: Readonly<Record<string, string>> = {
  'infra/aws/topology': 'infra/shared/',
  'infra/gcp/topology': 'infra/shared/',
  'infra/azure/topology': 'infra/shared/',
  'packages/cli/src': 'infra/shared/shapes.ts',
  // The browser draws plots with the same code; the repository builds its files when they are first asked for.
  'packages/page/browser': 'packages/page/src/',
  'packages/page/src': 'packages/page/build/',
};

test('no relative import leaves its own package, but for what clouds share', () => {
  const offences = Object.keys(rules).flatMap((folder) =>
    sources(folder).flatMap((file) =>
      imports(readFileSync(file, 'utf8'))
        .filter((name) => name.startsWith('.'))
        .map((name) => relative(root, join(file, '..', name)))
        .filter((name) => !name.startsWith(`${folder}/`) && !name.startsWith(neighbours[folder] ?? `${folder}/`))
        .map((name) => `${relative(root, file)}: ${name}`),
    ),
  );

  expect(offences).toEqual([]);
});

test('no file needs itself while it is loaded, over however many imports', () => {
  const files = ['packages', 'functions']
    .flatMap((folder) => readdirSync(join(root, folder)).map((name) => `${folder}/${name}/src`))
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap(sources);

  const circles = circlesIn(graphOf(files, 'run time')).map((files) => files.map((file) => relative(root, file)));

  expect(files.length).toBeGreaterThan(200);
  expect(circles).toEqual([]);
});

test('the rooms of core stand on at most seven levels, types included', () => {
  const core = join(root, 'packages/core/src');
  const roomOf = (file: string): string => relative(core, file).replace(/\/.*|\.ts$/, '');
  const files = graphOf(sources('packages/core/src'), 'types too');
  const rooms = new Map<string, Set<string>>();
  for (const [file, needed] of files) {
    const room = rooms.get(roomOf(file)) ?? new Set();
    for (const other of needed) if (roomOf(other) !== roomOf(file)) room.add(roomOf(other));
    rooms.set(roomOf(file), room);
  }

  // The facts of the clouds are on their way out of core.
  const circles = circlesIn(rooms).filter((circle) => circle.join() !== 'accelerators,prices');
  expect(circles).toEqual([]);
  expect(Math.max(...levelsOf(rooms).values())).toBeLessThanOrEqual(7);
});

/** What some files of packages/platform need, and no other may. */
const platformOnly: readonly (readonly [files: readonly string[], needs: RegExp])[] = [
  [['post.ts', 'rest.ts', 'wire.ts'], /^node:(dns\/promises|https?|net|stream\/consumers|timers\/promises)$/],
  [['runtime.ts'], /^@serin\/api\//],
];

test('what every platform shares sends requests by three files, and makes the API of a function in one', () => {
  const platform = join(root, 'packages/platform/src');

  const users = platformOnly.map(([, pattern]) =>
    sources('packages/platform/src')
      .filter((source) => imports(readFileSync(source, 'utf8')).some((name) => pattern.test(name)))
      .map((source) => relative(platform, source)),
  );

  expect(users).toEqual(platformOnly.map(([files]) => files));
});

test('the command runs without infra: it imports types of it and nothing else', () => {
  const offences = sources('packages/cli/src').filter((file) =>
    /^(import|export) (?!type )[^'\n]*'[./]*infra\/|\bimport\('[./]*infra\//m.test(readFileSync(file, 'utf8')),
  );

  expect(offences).toEqual([]);
});

/** The platforms, and what they have in common. */
const platforms = [
  'packages/platform/src',
  'packages/local/src',
  ...readdirSync(join(root, 'functions')).map((cloud) => `functions/${cloud}/src`),
];

test('no comment and no text of an error stands in two platforms: what is common is in packages/platform', () => {
  const files = platforms.flatMap((platform) => sources(platform).map((file) => ({ platform, file })));
  const places = new Map<string, { readonly platform: string; readonly file: string }[]>();
  for (const place of files)
    for (const text of new Set(saidIn(readFileSync(place.file, 'utf8'))))
      places.set(text, [...(places.get(text) ?? []), place]);

  const twice = [...places].filter(([, found]) => new Set(found.map(({ platform }) => platform)).size > 1);
  expect(places.size).toBeGreaterThan(500);
  expect(twice.map(([text, found]) => [text, ...found.map(({ file }) => relative(root, file))])).toEqual([]);
});

/** Files of a cloud that need nothing of its SDK, and what of the cloud is in them all the same. */
const withoutSdk: Readonly<Record<string, string>> = {
  'functions/aws/src/alarm.ts': 'the messages of CloudWatch alarms',
  'functions/aws/src/metric-line.ts': 'how CloudWatch takes a metric from a log line',
  'functions/aws/src/faults.ts': 'the names and texts of its errors',
  'functions/aws/src/jobs/ids.ts': 'its two APIs for jobs',
  'functions/aws/src/jobs/inputs.ts': 'how its jobs take their inputs from S3',
  'functions/aws/src/jobs/layout.ts': 'the folders of its containers',
  'functions/aws/src/jobs/results.ts': 'where its jobs leave their results',
  'functions/aws/src/jobs/settings.ts': 'its places in S3, its machines and networks',
  'functions/aws/src/jobs/toolkit.ts': 'its training toolkit',
  'functions/aws/src/names.ts': 'its limits of names, and its tags',
  'functions/aws/src/serving/shares.ts': 'its weights, which are ratios, and its one mirror',
  'functions/aws/src/settings.ts': 'the roles, keys and networks of an installation',
  'functions/aws/src/signals.ts': 'the messages of EventBridge, S3 and SageMaker',
  'functions/aws/src/supplies.ts': 'its format of a list of files',
  'functions/gcp/src/alarm.ts': 'the incidents of Cloud Monitoring',
  'functions/gcp/src/functions.ts': 'how its messages are acknowledged',
  'functions/gcp/src/http.ts': "the functions framework's requests, and the limits of its answers",
  'functions/gcp/src/jobs/described.ts': 'the states of its jobs, and the texts of their errors',
  'functions/gcp/src/jobs/layout.ts': 'the folders of its containers',
  'functions/gcp/src/jobs/request.ts': 'the form of a custom job',
  'functions/gcp/src/jobs/script.ts': 'the mount of its containers, and CLUSTER_SPEC',
  'functions/gcp/src/jobs/secret-script.ts': 'how a container asks its metadata server and Secret Manager',
  'functions/gcp/src/jobs/settings.ts': 'its places in Cloud Storage, its accounts and networks',
  'functions/gcp/src/metric-line.ts': 'how Cloud Logging takes a metric from a log line',
  'functions/gcp/src/names.ts': 'its limits of names, and its labels',
  'functions/gcp/src/serving/distribution.ts': 'the buckets of its histograms',
  'functions/gcp/src/records.ts': 'the pushes of Pub/Sub and the events of Eventarc',
  'functions/gcp/src/ports/registry.ts': 'that an upload to Vertex AI takes no key',
  'functions/gcp/src/serving/container.ts': 'the ports, routes and probes of its containers',
  'functions/gcp/src/serving/start.ts': 'how its containers get tokens, objects and secrets',
  'functions/gcp/src/settings.ts': 'the accounts, keys and networks of an installation',
  'functions/gcp/src/signals.ts': 'the messages of Pub/Sub, Cloud Storage and Cloud Logging',
  'functions/gcp/src/supplies.ts': 'its format of a list of files',
  'functions/azure/src/metric-line.ts': 'how Application Insights takes a metric from a log line',
  'functions/azure/src/jobs/described.ts': 'the states of its jobs, and the texts of its errors',
  'functions/azure/src/jobs/mounts.ts': 'how its jobs mount Blob Storage',
  'functions/azure/src/jobs/script.ts': 'what it tells its containers',
  'functions/azure/src/jobs/secret-script.ts': 'how its containers read Key Vault',
  'functions/azure/src/jobs/request.ts': 'the form of its jobs',
  'functions/azure/src/jobs/settings.ts': 'its places in Blob Storage',
  'functions/azure/src/ports/telemetry.ts': 'its two sources of counts',
  'functions/azure/src/ports/serving.ts': 'how its endpoints share their traffic',
  'functions/azure/src/serving/container.ts': 'the routes of its containers, and what starts them',
  'functions/azure/src/serving/hosted.ts': 'the states of its endpoints and deployments',
  'functions/azure/src/serving/start.ts': 'how its containers get tokens and blobs',
  'functions/azure/src/alarm.ts': 'the alerts of Azure Monitor',
  'functions/azure/src/names.ts': 'its limits of names, and its tags',
  'functions/azure/src/supplies.ts': 'that its mounts have no versions',
  'functions/azure/src/settings.ts': 'the accounts, identities and workspaces of an installation',
  'functions/azure/src/signals.ts': 'the events of Event Grid, Blob Storage and Azure ML',
};

test("a file of a cloud is about that cloud: it uses the cloud's SDK or payloads, or is listed with what it knows", () => {
  const files = readdirSync(join(root, 'functions')).flatMap((cloud) => sources(`functions/${cloud}/src`));
  const ownSdk = /^(@aws-sdk\/|@smithy\/|aws-lambda$|@azure\/|(\.{1,2}\/)+calls\/)/;

  const plain = files
    .filter((file) => !file.includes('/calls/'))
    .filter((file) => !imports(readFileSync(file, 'utf8')).some((name) => ownSdk.test(name)))
    .map((file) => relative(root, file));

  expect(plain.sort()).toEqual(Object.keys(withoutSdk).sort());
});

/** The files and folders of a folder, without the tests. */
const listed = (folder: string): readonly string[] =>
  readdirSync(join(root, folder))
    .filter((file) => !file.includes('.test.'))
    .sort();

test('the platforms have the same files, and the clouds the same table of them', () => {
  const shared = ['compose.ts', 'functions.ts', 'http.ts', 'signals.ts'];
  const same = (folder: string) => [
    ...shared.filter((file) => existsSync(join(root, folder, file))),
    ...listed(`${folder}/ports`),
  ];
  const clouds = readdirSync(join(root, 'functions')).map((cloud) => `functions/${cloud}/src`);

  for (const cloud of clouds) {
    expect([cloud, ...same(cloud).toSorted()]).toEqual([cloud, ...same('packages/local/src').toSorted()]);
    expect([cloud, ...listed(cloud)]).toEqual([cloud, ...listed('functions/aws/src')]);
  }
  expect(same('packages/local/src')).toHaveLength(11);
  expect(clouds.length).toBeGreaterThan(2);
});

test('the environment is read in compose.ts, by the command, and by the runner, which is a process of its own', () => {
  const readers = Object.keys(rules).flatMap((folder) =>
    sources(folder).filter((file) => /\bprocess\.env\b/.test(withoutComments(readFileSync(file, 'utf8')))),
  );

  expect(readers.map((file) => relative(root, file)).filter((file) => !file.startsWith('packages/cli/'))).toEqual([
    'packages/local/src/compose.ts',
    'packages/local/src/machine/runner.ts',
    'functions/aws/src/compose.ts',
    'functions/gcp/src/compose.ts',
    'functions/azure/src/compose.ts',
  ]);
});

test('each workspace lists exactly the packages that it imports', () => {
  for (const [folder, { may }] of Object.entries(rules)) {
    if (folder.startsWith('infra')) continue; // its package is of the renderers as well
    const manifest = JSON.parse(readFileSync(join(root, folder, '..', 'package.json'), 'utf8')) as {
      readonly dependencies?: Record<string, string>;
    };
    const allowed = new Set(
      may.map((name) =>
        name
          .split('/')
          .slice(0, name.startsWith('@') ? 2 : 1)
          .join('/'),
      ),
    );
    expect([folder, Object.keys(manifest.dependencies ?? {}).filter((name) => !allowed.has(name))]).toEqual([
      folder,
      [],
    ]);
    for (const version of Object.values(manifest.dependencies ?? {})) expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  }
});

/** Packages by their path, as npm writes them into a lock file. */
type Locked = Readonly<
  Record<
    string,
    { readonly integrity?: string; readonly link?: true; readonly inBundle?: true; readonly hasInstallScript?: true }
  >
>;

test('each package of a lock file has its digest, and SECURITY.md names those that have install scripts', () => {
  const locks = [
    'package-lock.json',
    'infra/package-lock.json',
    'functions/aws/package-lock.json',
    'functions/gcp/package-lock.json',
    'functions/azure/package-lock.json',
    'test/emulators/azurite/package-lock.json',
  ];
  const packages = locks.flatMap((lock) => {
    const { packages } = JSON.parse(readFileSync(join(root, lock), 'utf8')) as { readonly packages: Locked };
    return Object.entries(packages).filter(([path]) => path.startsWith('node_modules/'));
  });

  const undigested = packages.filter(([, { integrity, link, inBundle }]) => !integrity && !link && !inBundle);
  expect(undigested.map(([path]) => path)).toEqual([]);
  const scripted = packages.flatMap(([path, { hasInstallScript }]) =>
    hasInstallScript ? [path.replace(/^.*node_modules\//, '')] : [],
  );
  const [supply = ''] = readFileSync(join(root, 'SECURITY.md'), 'utf8').split('## Supply').slice(1);
  expect(scripted.filter((name) => !supply.includes(`\`${name}\``))).toEqual([]);
});
