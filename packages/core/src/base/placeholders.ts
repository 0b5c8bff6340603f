/** Azure ML's `${{inputs.x}}` and `${{outputs.y}}` in a command. */
export const placeholder = /\$\{\{\s*(inputs|outputs)\.([\w.-]+)\s*\}\}/g;

/** What the placeholders of a command name. */
export const placeholdersIn = (
  command: readonly string[],
): readonly { readonly kind: string; readonly name: string }[] =>
  command.flatMap((part) => [...part.matchAll(placeholder)].map(([, kind = '', name = '']) => ({ kind, name })));
