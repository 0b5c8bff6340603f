import { driftLoopContract } from '../drift-loop.contract.ts';
import { emulatedAzure } from '../emulated.ts';
import { openCapturedLoop } from './captured-loop.ts';

emulatedAzure('the loop of drift on Azure', () => {
  driftLoopContract(openCapturedLoop, {
    needs: [
      /^signals: \S+\/workspaces\/data\/versions\/write on /,
      /^signals: \S+\/blobs\/read on \S+\/containers\/serin captured$/,
      /^signals: \S+\/blobs\/\S+ on \S+\/containers\/serin drift$/,
      /^signals: \S+\/blobs\/\S+ on \S+\/containers\/serin profiles$/,
      /^signals: \S+\/blobs\/\S+ on \S+\/containers\/serin references$/,
      /^signals: \S+\/blobs\/\S+ on \S+\/containers\/serin reports$/,
      /^api: \S+\/blobs\/read on \S+\/containers\/serin reports$/,
      /^api: \S+\/blobs\/add\/action on \S+\/containers\/serin labels$/,
      /^signals: \S+\/blobs\/\S+ on \S+\/containers\/serin labels$/,
    ],
  });
});
