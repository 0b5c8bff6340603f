import { emulatedGcp } from '../emulated.ts';
import { labelsLoopContract } from '../labels-loop.contract.ts';
import { openCapturedLoop } from './captured-loop.ts';

emulatedGcp('the loop of labels on Google Cloud', () => {
  labelsLoopContract(openCapturedLoop, {
    idField: 'order',
    needs: [
      /^signals bigquery\.jobs\.create project$/,
      /^signals bigquery\.tables\.getData dataset$/,
      /^api storage\.objects\.create \S+ labels$/,
      /^signals storage\.objects\.create \S+ labels$/,
    ],
  });
});
