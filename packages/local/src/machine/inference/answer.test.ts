import { describe, expect, test } from 'vitest';
import { inferenceOf } from './answer.ts';

const model = { name: 'fraud', version: '7' };
const outputs = (body: string, wanted?: readonly string[]) =>
  JSON.parse(inferenceOf(body, wanted === undefined ? {} : { wanted }, model)).outputs;

describe('the answer of a model as tensors', () => {
  test('says the model, the version that answered, and the id of the request', () => {
    const answer = inferenceOf('{"predictions":[1]}', { id: 'r1' }, model);

    expect(JSON.parse(answer)).toEqual({
      model_name: 'fraud',
      model_version: '7',
      id: 'r1',
      outputs: [{ name: 'predictions', datatype: 'INT64', shape: [1], data: [1] }],
    });
  });

  test.each<[string, string, readonly unknown[]]>([
    ['numbers', '{"predictions":[0.5,2]}', ['predictions', 'FP64', [2], [0.5, 2]]],
    ['whole numbers', '{"predictions":[1,2]}', ['predictions', 'INT64', [2], [1, 2]]],
    ['whole numbers with a point', '{"predictions":[1.0,2.0]}', ['predictions', 'FP64', [2], [1, 2]]],
    ['numbers with an exponent', '{"predictions":[1e3]}', ['predictions', 'FP64', [1], [1000]]],
    ['texts', '{"predictions":["a","b"]}', ['predictions', 'BYTES', [2], ['a', 'b']]],
    ['booleans', '{"predictions":[true,false]}', ['predictions', 'BOOL', [2], [true, false]]],
    ['rows', '{"predictions":[[1,2,3],[4,5,6]]}', ['predictions', 'INT64', [2, 3], [1, 2, 3, 4, 5, 6]]],
    ['none', '{"predictions":[]}', ['predictions', 'INT64', [0], []]],
    ['one prediction', '{"prediction":0.5,"model":"x"}', ['prediction', 'FP64', [1], [0.5]]],
    ['a bare list', '[0.5]', ['predictions', 'FP64', [1], [0.5]]],
    ['a bare value', '"spam"', ['predictions', 'BYTES', [1], ['spam']]],
  ])('%s', (_, body, [name, datatype, shape, data]) => {
    expect(outputs(body)).toEqual([{ name, datatype, shape, data }]);
  });

  test('has one output for each field of the rows', () => {
    const body = '{"predictions":[{"class":1,"probabilities":[0.25,0.75]},{"class":0,"probabilities":[1.0,0.0]}]}';

    expect(outputs(body)).toEqual([
      { name: 'class', datatype: 'INT64', shape: [2], data: [1, 0] },
      { name: 'probabilities', datatype: 'FP64', shape: [2, 2], data: [0.25, 0.75, 1, 0] },
    ]);
    expect(outputs('{"label":"spam","score":0.9}')).toEqual([
      { name: 'label', datatype: 'BYTES', shape: [1], data: ['spam'] },
      { name: 'score', datatype: 'FP64', shape: [1], data: [0.9] },
    ]);
  });

  test('keeps integers that JavaScript would round', () => {
    expect(inferenceOf('{"predictions":[9007199254740993]}', {}, model)).toContain('"data":[9007199254740993]');
  });

  test('leaves outputs that are tensors as they are', () => {
    const said = { name: 'y', datatype: 'FP32', shape: [1, 2], data: [[1.5, 9]] };

    expect(outputs(JSON.stringify({ outputs: [said] }))).toEqual([said]);
    expect(outputs('{"outputs":[0.5]}')).toMatchObject([{ name: 'outputs', shape: [1, 1] }]);
  });

  test('has only the outputs that were asked for', () => {
    const body = '{"label":"spam","score":0.9}';

    expect(outputs(body, ['score'])).toMatchObject([{ name: 'score' }]);
    expect(() => outputs(body, ['score', 'logits'])).toThrow("there is no output 'logits'; ask for label, score");
  });

  test.each([
    ['what is not JSON', 'ok', /not JSON/],
    ['NaN', '{"predictions":[NaN]}', /not JSON/],
    ['nothing', '', /not JSON/],
    ['lists of unequal lengths', '{"predictions":[[1],[2,3]]}', /differ in their lengths/],
    ['a list beside a value', '{"predictions":[[1],2]}', /differ in their lengths/],
    ['a value beside a list', '{"predictions":[1,[2]]}', /not all numbers/],
    ['texts beside numbers', '{"predictions":["a",1]}', /not all numbers/],
    ['null', '{"predictions":[1,null]}', /not all numbers/],
    ['rows with other fields', '{"predictions":[{"a":1},{"b":1}]}', /differ in their fields/],
    ['a row with fields missing', '{"predictions":[{"a":1,"b":1},{"a":1}]}', /differ in their fields/],
    ['very many values', JSON.stringify(Array(2 ** 18 + 1).fill(1)), /too large/],
    ['an empty object', '{}', /differ in their fields/],
    ['very deep lists', `{"predictions":${'['.repeat(20)}1${']'.repeat(20)}}`, /too large/],
    [
      'very deep outputs',
      `{"outputs":[{"name":"y","datatype":"FP32","shape":[1],"data":${'['.repeat(2000)}${']'.repeat(2000)}}]}`,
      /nests more than/,
    ],
  ])('cannot say %s', (_, body, problem) => {
    expect(() => outputs(body)).toThrow(problem);
  });
});
