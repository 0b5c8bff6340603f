/**
 * Azure ML's `${{inputs.x}}` and `${{outputs.y}}` in a command, and in short `{train}`, `{holdout}`, `{data}` and `{model}`.
 * The variable `${model}` of a shell is not a placeholder.
 */
export const placeholder =
  /\$\{\{\s*(inputs|outputs)\.([\w.-]+)\s*\}\}|(?<![\w${])\{(train|holdout|data|model)\}(?!\})/g;

export interface Placeholder {
  /** `short`: the output of this name, or else the channel. */
  readonly kind: 'inputs' | 'outputs' | 'short';
  readonly name: string;
}

/** What the groups of one match mean. */
export const placeholderOf = (kind?: string, name?: string, short?: string): Placeholder =>
  short === undefined
    ? { kind: kind === 'outputs' ? 'outputs' : 'inputs', name: name ?? '' }
    : { kind: 'short', name: short };

/** What the placeholders of a command name. */
export const placeholdersIn = (command: readonly string[]): readonly Placeholder[] =>
  command.flatMap((part) => [...part.matchAll(placeholder)].map(([, ...groups]) => placeholderOf(...groups)));
