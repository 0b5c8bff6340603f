// The process in which a function app of Node runs: it gives Microsoft's programming model what the host of functions
// gives it (`@azure/functions-core`, which is not on npm), loads the app that is named, and calls its functions when it
// is told to.
//
// https://github.com/Azure/azure-functions-nodejs-worker, types-core/index.d.ts
const { randomUUID } = require('node:crypto');
const Module = require('node:module');
const { join } = require('node:path');
const process = require('node:process');

const functions = new Map();
const hooks = {};
let model;

const isDisposable = (dispose) => ({ dispose });
const core = {
  version: '3.12.0',
  hostVersion: '4.1037.0',
  registerFunction(metadata, callback) {
    functions.set(metadata.name, { metadata, callback });
    return isDisposable(() => functions.delete(metadata.name));
  },
  setProgrammingModel: (given) => {
    model = given;
  },
  getProgrammingModel: () => model,
  registerHook(name, callback) {
    hooks[name] = [...(hooks[name] ?? []), callback];
    return isDisposable(() => {});
  },
  log: (level, _category, message) => process.stdout.write(`[${level}] ${message}\n`),
  Disposable: class {
    static from = () => new this();
    dispose() {}
  },
};
const load = Module._load;
Module._load = (name, ...more) => (name === '@azure/functions-core' ? core : load(name, ...more));

// The time of a test goes on when the test says so.
const RealDate = Date;
let ahead = 0;
globalThis.Date = class extends RealDate {
  constructor(...given) {
    if (given.length === 0) super(RealDate.now() + ahead);
    else super(...given);
  }
  static now = () => RealDate.now() + ahead;
};

async function invoke({ name, data, triggerMetadata }) {
  const { metadata, callback } = functions.get(name);
  const trigger = Object.values(metadata.bindings).find(({ type }) => /trigger$/i.test(type));
  const invocationId = randomUUID();
  const context = {
    ...{ invocationId, metadata, state: undefined },
    log: (level, _category, message) => process.stdout.write(`[${level}] ${message}\n`),
    request: {
      ...{ invocationId, functionId: name, inputData: [{ name: trigger.name, data }], triggerMetadata },
      traceContext: { traceParent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`, traceState: '', attributes: {} },
    },
  };
  const invocation = model.getInvocationModel(context);
  const { context: given, inputs } = await invocation.getArguments();
  const result = await invocation.invokeFunction(given, inputs, callback);
  return invocation.getResponse(given, result);
}

process.on('message', async (asked) => {
  const { id } = asked;
  try {
    if ('at' in asked) ahead = asked.at - RealDate.now();
    process.send({ id, answer: 'at' in asked ? undefined : await invoke(asked) });
  } catch (error) {
    process.stdout.write(`${error?.stack ?? error}\n`);
    process.send({ id, error: String(error?.message ?? error) });
  }
});
process.on('disconnect', () => process.exit());

const [, , folder] = process.argv;
require(join(folder, require(join(folder, 'package.json')).main));
process.send({ functions: [...functions.values()].map(({ metadata }) => metadata) });
