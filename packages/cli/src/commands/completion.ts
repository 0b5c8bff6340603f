import { commands, nouns } from '../commands.ts';
import { bashScript } from '../completion/bash.ts';
import { fishScript } from '../completion/fish.ts';
import { completedOf } from '../completion/table.ts';
import { zshScript } from '../completion/zsh.ts';
import { Failure } from '../failure.ts';
import { argument, type Command, show } from '../invocation.ts';

const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript };

/** Prints what a shell reads to complete commands, options, and names that the server knows. */
export const completion: Command = async (invocation) => {
  const shell = argument(invocation, 0);
  const script = Object.hasOwn(scripts, shell) ? scripts[shell as keyof typeof scripts] : undefined; // it has it
  if (script === undefined)
    throw new Failure(2, `there is no completion for '${shell}'`, { mend: `use ${Object.keys(scripts).join(', ')}` });
  const text = script(completedOf(commands), nouns);
  show(invocation, { shell, script: text }, () => text);
  return 0;
};
