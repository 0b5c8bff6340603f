export { answerOf, answerTo } from './pulumi-facts.ts';
