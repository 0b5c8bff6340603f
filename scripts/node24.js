// Runs under any Node: every npm script calls it first. Below Node 24 the dev dependency `node`
// puts Node 24 first on the PATH of npm scripts; where install scripts are off it is not there.
import process from 'node:process';

if (Number(process.versions.node.split('.')[0]) < 24) {
  process.stderr.write(
    `serin: needs Node 24, this is ${process.version}\n` +
      '  why:  the repository brings Node 24 as the dev dependency "node", but its install script did not run\n' +
      '  mend: npm rebuild node --ignore-scripts=false   (or install Node 24 yourself)\n',
  );
  process.exit(1);
}
