import { driftLoopContract } from '../drift-loop.contract.ts';
import { emulatedGcp } from '../emulated.ts';
import { openCapturedLoop } from './captured-loop.ts';

emulatedGcp('the loop of drift on Google Cloud', () => {
  driftLoopContract(openCapturedLoop, {
    needs: [
      /^signals bigquery\.jobs\.create project$/,
      /^signals bigquery\.tables\.getData dataset$/,
      /^signals storage\.objects\.create \S+ drift$/,
      /^signals storage\.objects\.create \S+ profiles$/,
      /^signals storage\.objects\.create \S+ references$/,
      /^signals storage\.objects\.create \S+ reports$/,
      /^api storage\.objects\.get \S+ reports$/,
      /^api storage\.objects\.create \S+ labels$/,
      /^signals storage\.objects\.create \S+ labels$/,
    ],
  });
});
