/** How a condition of a certificate begins, and what makes it untrue: for whoever has to decide whether it holds. */
const rows: readonly (readonly [begins: RegExp, broken: string])[] = [
  [
    /^share: the weight/,
    'Breaks if something in front sends requests to one model because of what they ask, or if a cache answers for it.',
  ],
  [
    /^share: what came/,
    'Breaks if an answer changes which model the next requests get, for example because callers repeat those that failed.',
  ],
  [/^unit: the request/, 'Breaks if a few callers send most requests: their outcomes then depend on each other.'],
  [/^unit: the user/, 'Breaks if the key of a user changes between requests: one user then counts as several.'],
  [
    /^bad requests of one tick/,
    'Breaks if one incident hits only one model, such as a full disk. Give the guardrail a maxBurst then.',
  ],
  [/: at most \d+ bad requests/, 'Breaks if one incident in one model makes more bad requests in a tick than that.'],
  [/^warm-up: the first/, 'Breaks if the caches of the new deployment stay cold for longer than that.'],
  [/^no warm-up/, 'Breaks if a deployment that has just got more traffic answers more slowly for a while.'],
  [/^labels: .*worst/, 'Breaks if a label says another thing than what was true.'],
  [/^labels: /, 'Breaks if outcomes of one model are reported more often, or sooner, than those of the other.'],
  [/requests mirrored/, 'Breaks if a request changes something in the world: its copy then changes it as well.'],
  [/: slower than /, 'Breaks if one model alone became slower or faster since then, and is not to blame for it.'],
  [/^a first version/, 'Nothing else protects you: look at its errors yourself.'],
  [/: not judged/, 'If it gets worse, nobody notices.'],
];

/** What makes a condition of a certificate untrue, as a sentence; `undefined`: of one that is not known. */
export const whatBreaks = (condition: string): string | undefined =>
  rows.find(([begins]) => begins.test(condition))?.[1];
