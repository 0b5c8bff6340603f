import { emulated } from '../emulated.ts';
import { labelsLoopContract } from '../labels-loop.contract.ts';
import { openCapturedLoop } from './captured-loop.ts';

emulated('the loop of labels on AWS', () => {
  labelsLoopContract(openCapturedLoop, {
    needs: [
      /^signals s3:GetObject own captured$/,
      /^api s3:PutObject own labels$/,
      /^signals s3:PutObject own labels$/,
    ],
  });
});
