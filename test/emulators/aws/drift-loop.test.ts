import { driftLoopContract } from '../drift-loop.contract.ts';
import { emulated } from '../emulated.ts';
import { openCapturedLoop } from './captured-loop.ts';

emulated('the loop of drift on AWS', () => {
  driftLoopContract(openCapturedLoop, {
    needs: [
      /^signals s3:ListBucket own$/,
      /^signals s3:GetObject own captured$/,
      /^signals s3:(Get|Put)Object own drift$/,
      /^signals s3:PutObject own profiles$/,
      /^signals s3:PutObject own references$/,
      /^signals s3:PutObject own reports$/,
      /^api s3:GetObject own reports$/,
      /^api s3:GetObject own labels$/,
      /^api s3:PutObject own labels$/,
      /^signals s3:PutObject own labels$/,
    ],
  });
});
