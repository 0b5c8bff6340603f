import { startServer } from '@serin/local/compose';

/** The real one-machine server over a data directory: says where it is in one line, and closes on SIGTERM. */
const [directory = ''] = process.argv.slice(2);
const { url, port, token, close } = await startServer({
  directory,
  port: 0,
  version: 'bench',
  log: (line) => console.error(line),
});
console.log(JSON.stringify({ url, port, token }));
process.once('SIGTERM', () => void close().then(() => process.exit(0)));
