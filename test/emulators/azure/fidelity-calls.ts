/** How the suites write a call down, and how infra/azure/topology/calls.ts names it; the first that fits. */
const words: readonly (readonly [RegExp, string])[] = [
  [/^servicebus:Send$|^send to the (queue|topic)$/, 'Send'],
  [/^GET vault:\/secrets\/\{\}(\/\{\})?$|^Get Secret$/, 'GetSecret'],
  [/^(\w+) history:\/(?:.*\/)?(runs\/.*)$/, '$1 $2'],
  [/^(\w+) logs:\/v1\/(.*)$/, '$1 $2'],
  // Of the path of a resource only its type is said.
  [/^(\w+) \/(?:\{\}|subscriptions\/.*?)\/providers\/(.*)$/, '$1 $2'],
  [/^(?:blob|table):(\w+)$/, '$1'],
  // `Get Blob`, as the REST reference has it, and not `PUT jobs/{}`.
  [/^([A-Z][a-z]+) ([A-Z][a-z]+) ([A-Z][a-z]+)$/, '$1$2$3'],
  [/^([A-Z][a-z]+) ([A-Z][a-z]+)$/, '$1$2'],
];

/** One name for a call of Azure, whoever says it; the names of the parts of a path do not matter. */
export function azureCall(said: string): string {
  const plain = said.replace(/\{\w+\+?\}/g, '{}');
  const found = words.find(([pattern]) => pattern.test(plain));
  return found === undefined ? plain : plain.replace(...found);
}
