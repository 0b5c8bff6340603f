import { flushCompileCache } from 'node:module';
import process from 'node:process';
import { startServer } from '@serin/local/compose';

/** The real server in a process of its own: `node server.ts <directory>`. Ends with whoever holds its standard input. */
const [, , directory = ''] = process.argv;
process.stdin.resume().on('end', () => process.exit(0));

const { url, token } = await startServer({
  directory,
  port: 0,
  version: 'test',
  settleMs: 50,
  log: (line) => process.stderr.write(`${line}\n`),
});
process.stdout.write(`${JSON.stringify({ url, token })}\n`);
flushCompileCache();
