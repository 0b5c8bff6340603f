import { existsSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { Failure } from '../failure.ts';
import { argument, type Command, show, textOption } from '../invocation.ts';
import { version } from '../version.ts';

/** Files that run `serin serve` for good, by what runs them. */
const kinds = {
  systemd: {
    file: 'serin.service',
    content: () => unit(),
    next: (file: string) => [
      `sudo useradd --system --home-dir /var/lib/serin --create-home serin`,
      `sudo cp ${file} /etc/systemd/system/ && sudo systemctl enable --now serin`,
      'sudo cat /var/lib/serin/admin.token    # the administrator: serin context add <name> --url ... --token-stdin',
      'serin release --context <name>         # in the folder of a config: what the service runs',
    ],
  },
  container: {
    file: 'Dockerfile',
    content: dockerfile,
    next: () => [
      'docker build -t serin .',
      'docker run --init -d -p 127.0.0.1:7373:7373 -v serin:/data serin',
      'docker run --rm -v serin:/data serin cat /data/admin.token',
    ],
  },
} as const;

/** Writes the unit of systemd, or the container file, that runs the server for good. Nothing is installed. */
export const service: Command = async (invocation) => {
  const kind = argument(invocation, 0);
  if (kind !== 'systemd' && kind !== 'container')
    throw new Failure(2, `there is no service file for '${kind}'`, {
      mend: 'write serin service systemd, or serin service container',
    });
  const { file: name, content, next } = kinds[kind];
  const file = resolve(invocation.cwd, textOption(invocation, 'out') ?? name);
  if (existsSync(file) && invocation.options.force !== true)
    throw new Failure(4, `${file} exists`, {
      mend: 'give --force to overwrite it, or another name with --out',
    });
  writeFileSync(file, content());
  show(
    invocation,
    { kind, file },
    () =>
      `wrote ${file}\n\n${next(file)
        .map((line) => `  ${line}`)
        .join('\n')}\n`,
  );
  return 0;
};

/** The program and its script, as they were started here. */
function startedAs(): readonly string[] {
  const script = process.argv[1] ?? 'serin';
  return [process.execPath, existsSync(script) ? script : join(process.cwd(), 'node_modules', '.bin', 'serin')];
}

/** One word of a command line: https://www.freedesktop.org/software/systemd/man/latest/systemd.service.html#Command%20lines */
const word = (text: string): string => {
  const meant = text.replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /^[\w%@+:,./-]+$/.test(meant) ? meant : `"${meant.replace(/["\\]/g, '\\$&')}"`;
};

/** What `ProtectHome=yes` hides from a service. */
const isAtHome = (path: string): boolean => /^\/(home|root|run\/user)\//.test(path);

export function unit(command: readonly string[] = startedAs()): string {
  const home = command.some(isAtHome)
    ? '# Node or serin lies in a home folder: the user serin must be able to read it there.\nProtectHome=read-only'
    : 'ProtectHome=yes';
  return `# serin ${version()} on one machine
[Unit]
Description=Serin: from data to a safely released model
After=network-online.target
Wants=network-online.target

[Service]
User=serin
Group=serin
StateDirectory=serin
StateDirectoryMode=0700
WorkingDirectory=/var/lib/serin
ExecStart=${command.map(word).join(' ')} serve --directory /var/lib/serin
# SERIN_SECRET_<NAME>, SERIN_GITHUB_SECRET, SERIN_WEBHOOK_SECRET, SERIN_HOSTS, and the PATH of jobs and model servers
EnvironmentFile=-/etc/serin.env
Restart=on-failure
RestartSec=2
# SIGTERM lets what is under way end; training jobs go on and are taken over by the next start.
KillMode=process
TimeoutStopSec=60
NoNewPrivileges=yes
ProtectSystem=strict
${home}
PrivateTmp=yes
LimitNOFILE=65536

[Install]
WantedBy=multi-user.target
`;
}

function dockerfile(): string {
  return `# serin ${version()} on one machine. Put serin-${version()}.tgz (npm run pack) beside this file.
# Jobs and model servers run in this container: install what they need here, such as Python and its packages.
FROM node:24-slim
RUN useradd --system --create-home --home-dir /data serin
COPY serin-${version()}.tgz /tmp/
RUN npm install --global /tmp/serin-${version()}.tgz && rm /tmp/serin-${version()}.tgz
USER serin
WORKDIR /data
VOLUME /data
EXPOSE 7373
HEALTHCHECK --interval=30s CMD node -e "fetch('http://127.0.0.1:7373/readyz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"
STOPSIGNAL SIGTERM
CMD ["serin", "serve", "--directory", "/data", "--host", "0.0.0.0"]
`;
}
