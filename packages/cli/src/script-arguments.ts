/** One value that a script takes from outside. */
export interface Argument {
  readonly name: string;
  /** `undefined`: none, or one that is computed. */
  readonly fallback: string | number | undefined;
  readonly positional: boolean;
  /** It takes its value from the environment of a training job by itself. */
  readonly fromJob: boolean;
  /** How a command gives it: `--name value`, `name=value` (Hydra), or a variable of its environment. */
  readonly given: 'flag' | 'override' | 'variable';
}

/** Arguments of argparse, click, typer, fire, absl and Hydra, and variables of the environment that a script reads. */
export function argumentsIn(text: string, settings: Readonly<Record<string, unknown>> = {}): readonly Argument[] {
  const calls = ['add_argument', 'option', 'argument'].flatMap((call) => callsOf(text, call));
  return [
    ...calls.flatMap(declared),
    ...signatures(text).flatMap(parameters),
    ...[...text.matchAll(/\bDEFINE_(?:integer|float|string)\(\s*(['"])([\w-]+)\1\s*,\s*([^,)]*)/g)].map((match) =>
      flag(match[2] ?? '', literalOf(match[3]), match[0]),
    ),
    ...leaves(settings).map(([name, value]) => ({
      ...flag(name, typeof value === 'number' || typeof value === 'string' ? value : undefined, ''),
      given: 'override' as const,
    })),
    ...[...text.matchAll(/^\s*(\w+)\s*=\s*(?:(?:pathlib\.)?Path\()?sys\.argv\[\d\]/gm)].map(([, name = '']) => ({
      ...flag(name.replaceAll('_', '-').toLowerCase(), undefined, ''),
      positional: true,
    })),
    // A variable that is the default of a flag is given by the flag.
    ...variables(calls.reduce((rest, call) => rest.replace(call, ''), text)),
  ];
}

/** Where a script of Hydra or OmegaConf keeps what it takes: a file of YAML beside it. */
export function settingsFile(text: string): string | undefined {
  const [hydra] = callsOf(text, 'hydra\\.main');
  if (hydra !== undefined) {
    const [path, name] = ['config_path', 'config_name'].map(
      (field) => new RegExp(`${field}\\s*=\\s*['"]([^'"]*)['"]`).exec(hydra)?.[1],
    );
    const file = `${name ?? 'config'}.yaml`.replace(/\.yaml\.yaml$|\.yml\.yaml$/, '.yaml');
    return path === undefined ? file : `${path}/${file}`;
  }
  return /OmegaConf\.from_cli\(/.test(text) ? /OmegaConf\.load\(\s*['"]([^'"]+)['"]/.exec(text)?.[1] : undefined;
}

const flag = (name: string, fallback: Argument['fallback'], source: string): Argument => ({
  ...{ name, fallback, positional: false, fromJob: /\bSM_[A-Z]/.test(source), given: 'flag' },
});

function declared(call: string): readonly Argument[] {
  const [, , dashes = '', name] = /(['"])(--|)([A-Za-z][\w-]*)\1/.exec(call) ?? [];
  if (name === undefined) return [];
  const fallback = literalOf(/\bdefault\s*=\s*([\s\S]*)$/.exec(call)?.[1]);
  return [{ ...flag(name, fallback, call), positional: dashes === '' }];
}

/** A number or a text, also within `Path(...)` or as the default of `typer.Option(...)`. */
function literalOf(source: string | undefined): string | number | undefined {
  const wrapped = /^\s*(?:(?:pathlib\.)?Path|(?:typer\.)?Option)\(\s*/;
  const [, number, , quoted] =
    /^\s*(?:(-?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|[rbuf]?(['"])(.*?)\2)\s*(?:[,)\n]|$)/.exec(
      (source ?? '').replace(wrapped, '').replace(wrapped, ''),
    ) ?? [];
  return number === undefined ? quoted : Number(number.replaceAll('_', ''));
}

/** What stands between the parentheses of the function that typer or fire calls. */
function signatures(text: string): readonly string[] {
  const named = [...text.matchAll(/\b(?:typer\.run|(?:fire\.)?Fire)\(\s*(\w+)\s*\)/g)].map(([, name]) => name ?? '');
  const commands = /\btyper\b/.test(text)
    ? [...text.matchAll(/^@\w+\.(?:command|callback)\([^\n]*\)\s*\n(?:@[^\n]*\n)*def (\w+)/gm)].map(
        ([, name]) => name ?? '',
      )
    : [];
  return [...new Set([...named, ...commands])].flatMap((name) => callsOf(text, `def ${name}`));
}

function parameters(signature: string): readonly Argument[] {
  return cut(signature, ',').flatMap((part) => {
    const [before = '', ...after] = cut(part, '=');
    const fallback = after.length === 0 ? undefined : after.join('=');
    const name = /^\s*(\w+)/.exec(before)?.[1];
    if (name === undefined || /^(?:self|args|kwargs)$/.test(name)) return [];
    const own = /['"]--([\w-]+)['"]/.exec(part)?.[1] ?? name.replaceAll('_', '-');
    const positional = fallback === undefined || /\bArgument\(/.test(part);
    return [{ ...flag(own, literalOf(fallback), part), positional }];
  });
}

/** `a, b=(1, 2)` cut at its commas is `a` and `b=(1, 2)`. */
function cut(list: string, at: ',' | '='): readonly string[] {
  const parts = [''];
  let depth = 0;
  for (const [token] of list.replace(/#[^\n]*/g, '').matchAll(/"[^"\n]*"|'[^'\n]*'|[\s\S]/g)) {
    depth += '([{'.includes(token) ? 1 : ')]}'.includes(token) ? -1 : 0;
    if (token === at && depth === 0) parts.push('');
    else parts.push(`${parts.pop()}${token}`);
  }
  return parts.filter((part) => part.trim() !== '' && part.trim() !== '*');
}

const known =
  /^(?:SM_|AIP_|AZURE|MLFLOW_|WANDB_|CUDA_|SERIN_|OMP_|PYTHON|NCCL_|TF_|AWS_|GOOGLE_)|^(?:HOME|PATH|USER|TMPDIR|PWD|RANK|LOCAL_RANK|WORLD_SIZE|MASTER_ADDR|MASTER_PORT)$/;

/** Variables that a script reads, but for those that are somebody else's. */
function variables(text: string): readonly Argument[] {
  const read = /\b(?:os\.)?(?:environ\[|environ\.get\(|getenv\()\s*(['"])(\w+)\1\s*(?:,\s*([^)\n]*))?/g;
  return [...text.matchAll(read)]
    .filter(([, , name = '']) => !known.test(name) && !/KEY|TOKEN|SECRET|PASSWORD/i.test(name))
    .map(([whole, , name = '', fallback]) => {
      const value = literalOf(fallback);
      const number =
        typeof value === 'string' && /^-?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?$/.test(value) ? Number(value) : value;
      return { ...flag(name, number, whole), given: 'variable' as const };
    });
}

/** Every value of nested settings with its path; groups and Hydra's own are left out. */
function leaves(settings: Readonly<Record<string, unknown>>, above = ''): readonly (readonly [string, unknown])[] {
  return Object.entries(settings).flatMap(([name, value]) => {
    if (above === '' && ['defaults', 'hydra'].includes(name)) return [];
    const isMap = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isMap
      ? leaves(value as Readonly<Record<string, unknown>>, `${above}${name}.`)
      : [[`${above}${name}`, value] as const];
  });
}

/** What stands between the parentheses of each call of a function; strings and comments may hold parentheses. */
export function callsOf(text: string, name: string): readonly string[] {
  return [...text.matchAll(new RegExp(`(?<!\\w)${name}\\(`, 'g'))].map(({ 0: call, index }) => {
    const from = index + call.length;
    let depth = 1;
    for (const { 0: token, index: at } of text.slice(from).matchAll(/"[^"\n]*"|'[^'\n]*'|#[^\n]*|[()]/g)) {
      depth += token === '(' ? 1 : token === ')' ? -1 : 0;
      if (depth === 0) return text.slice(from, from + at);
    }
    return '';
  });
}
