import { emulatedAzure } from '../emulated.ts';
import { labelsLoopContract } from '../labels-loop.contract.ts';
import { openCapturedLoop } from './captured-loop.ts';

emulatedAzure('the loop of labels on Azure', () => {
  labelsLoopContract(openCapturedLoop, {
    needs: [
      /^signals: \S+\/blobs\/read on \S+\/containers\/serin captured$/,
      /^api: \S+\/blobs\/add\/action on \S+\/containers\/serin labels$/,
      /^signals: \S+\/blobs\/\S+ on \S+\/containers\/serin labels$/,
    ],
  });
});
