import process from 'node:process';
import { type Argument, Command as Commander, CommanderError, Option } from 'commander';
import { type CommandSpec, commands, groups, nouns } from './commands.ts';
import { asFailure, Failure, failureText, problemOf } from './failure.ts';
import type { Options } from './invocation.ts';
import { processTerminal, type Terminal } from './terminal.ts';
import { version } from './version.ts';

type Run = (spec: CommandSpec, args: readonly string[], options: Options) => Promise<void>;

/** SIGHUP: the terminal was closed. */
const interruptions = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Runs the command of this process and answers its exit code. */
export async function main(): Promise<number> {
  if (process.argv[2] === '__complete') return propose(process.argv.slice(3));
  const argv = withoutHelpVerb(process.argv.slice(2));
  const terminal = processTerminal(process, argv.includes('--json'), argv.includes('--utc'));
  const stop = new AbortController();
  let interrupted = false;
  const interrupt = (signal: NodeJS.Signals) => {
    // The second time somebody means it.
    if (stop.signal.aborted) process.exit(130);
    interrupted = signal === 'SIGINT';
    stop.abort();
  };
  for (const signal of interruptions) process.on(signal, interrupt);
  // A reader that has seen enough (`serin runs list | head`) is not an error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

  let exit = 0;
  const run: Run = async (spec, args, options) => {
    const command = await spec.load();
    exit = (await command({ args, options, terminal, env: process.env, cwd: process.cwd(), signal: stop.signal })) ?? 0;
  };
  try {
    await program(run, terminal).parseAsync(argv, { from: 'user' });
  } catch (error) {
    exit = stop.signal.aborted && asFailure(error).exit === 130 ? 130 : report(error, terminal);
  } finally {
    for (const signal of interruptions) process.off(signal, interrupt);
  }
  // Whatever is still open after an interruption is not waited for.
  if (stop.signal.aborted) process.exit(interrupted ? 130 : exit);
  return exit;
}

/** For the completion of a shell. */
async function propose(words: readonly string[]): Promise<number> {
  const { complete } = await import('./complete.ts');
  process.stdout.write(await complete(words, { env: process.env, cwd: process.cwd() }));
  return 0;
}

/** `serin help runs` is `serin runs --help`. */
const withoutHelpVerb = (argv: readonly string[]): string[] =>
  argv[0] === 'help' ? [...argv.slice(1), '--help'] : [...argv];

function report(error: unknown, terminal: Terminal): number {
  if (error instanceof CommanderError && error.exitCode === 0) return 0;
  const failure =
    error instanceof CommanderError
      ? new Failure(2, error.message.replace(/^error: /, '').replaceAll('\n', ' '), {
          mend: "see the command with '--help'",
          cause: error,
        })
      : asFailure(error);
  if (terminal.json) terminal.out(`${JSON.stringify(problemOf(failure))}\n`);
  else terminal.say(failureText(failure, terminal.width));
  return failure.exit;
}

/** The command line: what it parses goes to `run`. */
export function program(run: Run, terminal: Terminal): Commander {
  const root = new Commander('serin')
    .description('New data in a bucket becomes a safely released model.')
    .usage('<command> [options]')
    .version(version(), '-v, --version', 'the version of this command')
    .exitOverride()
    .configureOutput({ writeOut: terminal.out, writeErr: () => undefined })
    .configureHelp({
      styleTitle: (text) => terminal.paint('bold', text),
      subcommandTerm: (command) =>
        [
          command.name(),
          ...command.registeredArguments.filter((given) => given.name() !== 'command').map(argumentText),
        ].join(' '),
    })
    .helpCommand(false)
    .addHelpText('after', "\n'serin <command> --help' tells more; every command takes --json.");
  for (const spec of commands) {
    const [first = '', second] = spec.name.split(' ');
    if (second === undefined) addCommand(root, spec, first, run).helpGroup(headingOf(first));
    else addCommand(nounOf(root, first), spec, second, run);
  }
  return withHelp(root);
}

function nounOf(root: Commander, name: string): Commander {
  const known = root.commands.find((command) => command.name() === name);
  return (
    known ??
    withHelp(
      root
        .command(name)
        .description(nouns[name] ?? '')
        .helpGroup(headingOf(name))
        .helpCommand(false)
        .usage('<command> [options]'),
    )
  );
}

/** Without a command: what there is. */
function withHelp(command: Commander): Commander {
  return command
    .argument('[command]')
    .allowUnknownOption()
    .allowExcessArguments()
    .action((given: string | undefined) => {
      // `unknownCommand` suggests the nearest one; the typings leave it out.
      if (given !== undefined) (command as unknown as { unknownCommand(): never }).unknownCommand();
      command.outputHelp();
    });
}

function addCommand(parent: Commander, spec: CommandSpec, name: string, run: Run): Commander {
  const command = parent.command(name).summary(spec.summary).description(sentence(spec.summary));
  for (const part of spec.args?.split(' ') ?? []) command.argument(part);
  for (const { flags, does, repeated } of spec.options ?? []) {
    const option = new Option(flags, does);
    command.addOption(
      repeated ? option.argParser((value, before: string[] | undefined) => [...(before ?? []), value]) : option,
    );
  }
  command.option('--json', 'one JSON document on standard output');
  if (spec.example !== undefined) command.addHelpText('after', `\nExample:\n  ${spec.example}`);
  return command.action(() => run(spec, command.args, command.opts<Options>()));
}

const argumentText = (given: Argument): string => (given.required ? `<${given.name()}>` : `[${given.name()}]`);

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

const headingOf = (word: string): string =>
  `${(groups.find(({ words }) => words.includes(word)) ?? groups.at(-1))?.heading ?? 'Commands'}:`;
