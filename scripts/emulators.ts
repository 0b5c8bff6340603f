// Installs what the emulator suites run against into test/emulators/.installed/. A second run does only what changed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { paths, stampOf } from '../test/emulators/installed.ts';

interface Part {
  readonly name: string;
  /** What decides the content: the part is installed anew when one of these files changes. */
  readonly from: readonly string[];
  readonly needs: readonly Need[];
  readonly folder: string;
  /** Said by the content itself, where it can: what `npm ci` has put there is not deleted and fetched again. */
  readonly isWhole?: () => boolean;
  install(): void;
  versions(): string;
}

interface Need {
  readonly check: readonly string[];
  readonly mend: string;
}

const emulators = join(import.meta.dirname, '..', 'test', 'emulators');
const requirements = join(emulators, 'requirements.txt');
const discovery = join(emulators, 'discovery-documents', 'requirements.txt');
const permissions = join(emulators, 'iam-permissions', 'requirements.txt');
const azureModels = join(emulators, 'azure-models', 'requirements.txt');
const inferenceClients = join(emulators, 'inference-clients', 'requirements.txt');
const azureReader = join(emulators, 'azure-models', 'models.py');
const pom = join(emulators, 'dynamodb-local', 'pom.xml');
const pip = join(paths.python, 'bin', 'pip');

const parts: readonly Part[] = [
  ofNpm('functions', paths.functions, ['@aws-sdk/client-sagemaker']),
  ofNpm('functions-gcp', paths.gcpFunctions, ['@google-cloud/aiplatform', '@google-cloud/functions-framework']),
  ofNpm('functions-azure', paths.azureFunctions, ['@azure/functions', '@azure/service-bus']),
  {
    name: 'azurite',
    needs: [],
    folder: paths.azurite,
    versions: () => `azurite ${versionIn(join(paths.azurite, 'node_modules'), 'azurite')}`,
    from: [join(emulators, 'azurite', 'package-lock.json')],
    install: () => {
      rmSync(paths.azurite, { recursive: true, force: true });
      mkdirSync(paths.azurite, { recursive: true });
      for (const file of ['package.json', 'package-lock.json'])
        copyFileSync(join(emulators, 'azurite', file), join(paths.azurite, file));
      run('npm', ['ci', '--no-audit', '--no-fund', '--prefix', paths.azurite]);
    },
  },
  {
    name: 'python',
    from: [requirements],
    needs: [
      {
        check: ['python3', '-c', 'import venv, ensurepip'],
        mend: 'install Python 3.11 or newer with its venv module (Debian: python3-venv)',
      },
    ],
    folder: paths.python,
    install: () => {
      rmSync(paths.python, { recursive: true, force: true });
      run('python3', ['-m', 'venv', paths.python]);
      run(pip, ['install', '--quiet', '--no-deps', '--requirement', requirements]);
      run(pip, ['check']);
    },
    versions: () => pinned(['moto', 'botocore']),
  },
  {
    name: 'dynamodb-local',
    from: [pom],
    needs: [
      { check: ['java', '-version'], mend: 'install a Java runtime, 17 or newer (Debian: default-jre-headless)' },
      { check: ['mvn', '--version'], mend: 'install Maven (Debian: maven)' },
    ],
    folder: paths.dynamoDb,
    install: () => {
      rmSync(paths.dynamoDb, { recursive: true, force: true });
      const goal = ['--batch-mode', '--quiet', '-Dstyle.color=never', '--file', pom, 'dependency:copy-dependencies'];
      run('mvn', [...goal, '-DincludeScope=runtime', `-DoutputDirectory=${paths.dynamoDb}`]);
    },
    versions: () =>
      readdirSync(paths.dynamoDb).find((file) => file.startsWith('DynamoDBLocal-')) ?? 'DynamoDBLocal: no jar',
  },
  {
    name: 'discovery',
    from: [discovery],
    needs: [],
    folder: paths.discovery,
    // Only its files are read: beside the other packages it would want dependencies.
    install: () => {
      rmSync(paths.discovery, { recursive: true, force: true });
      run(pip, ['install', '--quiet', '--no-deps', '--target', paths.discovery, '--requirement', discovery]);
    },
    versions: () => readFileSync(discovery, 'utf8').trim().split('\n').at(-1) ?? '',
  },
  {
    name: 'iam-permissions',
    from: [permissions],
    needs: [],
    folder: paths.permissions,
    // A list of names is taken out of the package, and nothing of it is installed.
    install: () => {
      rmSync(paths.permissions, { recursive: true, force: true });
      const wheels = join(paths.permissions, 'wheels');
      run(pip, ['download', '--quiet', '--no-deps', '--dest', wheels, '--requirement', permissions]);
      const [wheel = ''] = readdirSync(wheels);
      const list = 'gcpwn/modules/gcp/resourcemanager/utilities/data/all_project_permissions.txt';
      const taking =
        'import sys, zipfile; open(sys.argv[3], "wb").write(zipfile.ZipFile(sys.argv[1]).read(sys.argv[2]))';
      run('python3', ['-c', taking, join(wheels, wheel), list, join(paths.permissions, 'permissions.txt')]);
      rmSync(wheels, { recursive: true });
    },
    versions: () => readFileSync(permissions, 'utf8').split(' ')[0] ?? '',
  },
  {
    name: 'azure-models',
    from: [azureModels, azureReader],
    needs: [],
    folder: paths.azureModels,
    // The generated files are read as text, and nothing of the package is installed.
    install: () => {
      rmSync(paths.azureModels, { recursive: true, force: true });
      const wheels = join(paths.azureModels, 'wheels');
      run(pip, ['download', '--quiet', '--no-deps', '--dest', wheels, '--requirement', azureModels]);
      const [wheel = ''] = readdirSync(wheels);
      run('python3', [azureReader, join(wheels, wheel), join(paths.azureModels, 'models.json')]);
      rmSync(wheels, { recursive: true });
    },
    versions: () => readFileSync(azureModels, 'utf8').split(' ')[0] ?? '',
  },
  {
    name: 'inference-clients',
    from: [inferenceClients],
    needs: [],
    folder: paths.inferenceClients,
    install: () => {
      rmSync(paths.inferenceClients, { recursive: true, force: true });
      const target = ['--target', paths.inferenceClients, '--requirement', inferenceClients];
      run(pip, ['install', '--quiet', '--no-deps', ...target]);
    },
    versions: () => {
      const lines = readFileSync(inferenceClients, 'utf8').split('\n');
      return lines.filter((line) => /^(tritonclient|open-inference)/.test(line)).join(', ');
    },
  },
  ofGo('lambda-rie', paths.lambda, 'tool', 'github.com/aws/aws-lambda-runtime-interface-emulator'),
  ofGo('fake-gcs-server', paths.gcs, 'tool', 'github.com/fsouza/fake-gcs-server'),
  ofGo('pubsub', paths.pubsub, '.', 'cloud.google.com/go/pubsub/v2', ['main.go']),
];

function ofNpm(name: string, folder: string, shown: readonly string[]): Part {
  const lockFile = join(folder, 'package-lock.json');
  const modules = join(folder, 'node_modules');
  return {
    name,
    from: [lockFile],
    needs: [],
    folder: modules,
    isWhole: () => {
      const there = versionsIn(join(modules, '.package-lock.json'));
      return [...versionsIn(lockFile)].every((entry) => there.has(entry));
    },
    install: () => run('npm', ['ci', '--no-audit', '--no-fund', '--prefix', folder]),
    versions: () => shown.map((npm) => `${npm} ${versionIn(modules, npm)}`).join(', '),
  };
}

/** Built from source; `what` as `go install` takes it. */
function ofGo(name: string, folder: string, what: string, shown: string, more: readonly string[] = []): Part {
  const source = join(emulators, name);
  return {
    name,
    from: ['go.mod', 'go.sum', ...more].map((file) => join(source, file)),
    needs: [{ check: ['go', 'version'], mend: 'install Go, 1.26.6 or newer (go.dev/doc/install)' }],
    folder,
    install: () => {
      rmSync(folder, { recursive: true, force: true });
      run('go', ['install', '-C', source, what], { GOBIN: folder, CGO_ENABLED: '0' });
    },
    versions: () => {
      const lines = readFileSync(join(source, 'go.mod'), 'utf8').split('\n');
      const line = lines.find((text) => text.includes(`${shown} v`));
      return line?.replace(/^require|\/\/ indirect$/g, '').trim() ?? `no ${shown} in go.mod`;
    },
  };
}

const needs = new Map(parts.flatMap((part) => part.needs).map((need) => [need.mend, need]));
const missing = [...needs.values()].filter(
  ({ check: [command = '', ...args] }) => spawnSync(command, args).status !== 0,
);
for (const { check, mend } of missing)
  process.stderr.write(`emulators: \`${check.join(' ')}\` fails\n  mend: ${mend}\n`);
if (missing.length > 0) process.exit(1);

mkdirSync(paths.stamps, { recursive: true });
for (const part of parts) {
  const wanted = createHash('sha256');
  for (const file of part.from) wanted.update(readFileSync(file));
  const digest = wanted.digest('hex');
  const stamp = stampOf(part.name);
  const isStamped = () => existsSync(stamp) && readFileSync(stamp, 'utf8') === digest;
  const whole = existsSync(part.folder) && (part.isWhole ?? isStamped)();
  if (!whole) {
    rmSync(stamp, { force: true });
    part.install();
  }
  writeFileSync(stamp, digest);
  process.stdout.write(`emulators: ${part.name}: ${part.versions()}${whole ? ' (was there)' : ''}\n`);
}

function run(command: string, args: readonly string[], variables: Readonly<Record<string, string>> = {}): void {
  const { status, error } = spawnSync(command, args, {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...variables },
  });
  if (status === 0) return;
  process.stderr.write(
    `emulators: \`${[command, ...args].join(' ')}\` failed${error === undefined ? '' : `: ${error.message}`}\n` +
      '  mend: see its own words above; the package registry (npm, PyPI, Maven Central or the Go module proxy) must be reachable. Then run this again\n',
  );
  process.exit(1);
}

function pinned(names: readonly string[]): string {
  const lines = readFileSync(requirements, 'utf8').split('\n');
  return lines.filter((line) => names.some((name) => line.startsWith(`${name}==`))).join(', ');
}

/** `path@version` of all that a lock file lists, but for the package itself and what is optional. */
function versionsIn(lockFile: string): ReadonlySet<string> {
  if (!existsSync(lockFile)) return new Set();
  const { packages } = JSON.parse(readFileSync(lockFile, 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly version?: string; readonly optional?: boolean }>>;
  };
  const listed = Object.entries(packages).filter(([path, { optional }]) => path !== '' && !optional);
  return new Set(listed.map(([path, { version }]) => `${path}@${version}`));
}

function versionIn(modules: string, npm: string): string {
  return (JSON.parse(readFileSync(join(modules, npm, 'package.json'), 'utf8')) as { readonly version: string }).version;
}
