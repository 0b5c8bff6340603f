import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { invocationOf } from './instances.ts';
import { readRequest } from './request.ts';

const maxBytes = 6 * 1024 * 1024;

type Input = Readonly<Record<string, unknown>>;
const x: Input = { name: 'x', shape: [2, 2], datatype: 'FP32', data: [1, 2.5, 3, 4] };

const read = (head: unknown, tail: Buffer = Buffer.alloc(0), headers = {}) => {
  const json = Buffer.from(typeof head === 'string' ? head : JSON.stringify(head));
  const length = tail.length === 0 ? {} : { 'inference-header-content-length': String(json.length) };
  return readRequest(Buffer.concat([json, tail]), { ...length, ...headers }, maxBytes);
};
const readInputs = (...inputs: readonly Input[]) => read({ inputs }).inputs;
const binary = (datatype: string, shape: readonly number[], tail: Buffer) =>
  read({ inputs: [{ name: 'x', shape, datatype, parameters: { binary_data_size: tail.length } }] }, tail).inputs[0]
    ?.values;
const bytes = (...values: readonly number[]): Buffer => Buffer.from(values);

describe('the inputs of a request', () => {
  test('are read from JSON, flat or nested', () => {
    const flat = readInputs(x);
    const nested = readInputs({
      ...x,
      data: [
        [1, 2.5],
        [3, 4],
      ],
    });

    expect(flat).toEqual([{ name: 'x', shape: [2, 2], datatype: 'FP32', values: [1, 2.5, 3, 4] }]);
    expect(nested).toEqual(flat);
  });

  test.each<[string, Buffer, readonly unknown[]]>([
    ['BOOL', bytes(0, 1), [false, true]],
    ['UINT8', bytes(0, 255), [0, 255]],
    ['INT8', bytes(0x80, 0x7f), [-128, 127]],
    ['UINT16', bytes(1, 0, 0xff, 0xff), [1, 65535]],
    ['INT16', bytes(1, 0, 0xff, 0xff), [1, -1]],
    ['UINT32', bytes(1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff), [1, 4294967295]],
    ['INT32', bytes(1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff), [1, -1]],
    ['UINT64', bytes(1, 0, 0, 0, 0, 0, 0, 0, ...Array(8).fill(0xff)), [1n, 18446744073709551615n]],
    ['INT64', bytes(1, 0, 0, 0, 0, 0, 0, 0, ...Array(8).fill(0xff)), [1n, -1n]],
    ['FP16', bytes(0x00, 0x38, 0x01, 0x00), [0.5, 2 ** -24]],
    ['FP16', bytes(0x00, 0xc0, 0xff, 0x7b), [-2, 65504]],
    ['BF16', bytes(0xc0, 0x3f, 0x00, 0xc0), [1.5, -2]],
    ['FP32', bytes(0, 0, 0xc0, 0x3f, 0, 0, 0, 0xc0), [1.5, -2]],
    ['FP64', Buffer.from(new Float64Array([0.1, -2]).buffer), [0.1, -2]],
    ['BYTES', bytes(1, 0, 0, 0, 97, 2, 0, 0, 0, 0xc3, 0xbc), ['a', 'ü']],
    ['BYTES', bytes(0, 0, 0, 0, 0, 0, 0, 0), ['', '']],
  ])('are read from binary data of %s', (datatype, tail, values) => {
    expect(binary(datatype, [2], tail)).toEqual(values);
  });

  test('take their bytes in turn, and others their JSON', () => {
    const sized = (name: string, size: number) => ({
      ...{ name, shape: [2], datatype: 'UINT8' },
      parameters: { binary_data_size: size },
    });

    const { inputs } = read({ inputs: [sized('a', 2), { ...x, name: 'b' }, sized('c', 2)] }, bytes(1, 2, 3, 4));

    expect(inputs.map(({ values }) => values)).toEqual([
      [1, 2],
      [1, 2.5, 3, 4],
      [3, 4],
    ]);
  });

  test('may come compressed', () => {
    const body = gzipSync(JSON.stringify({ inputs: [x] }));

    const { inputs } = readRequest(body, { 'content-encoding': 'gzip' }, maxBytes);

    expect(inputs).toEqual(readInputs(x));
  });

  test('keep integers that JavaScript would round', () => {
    const wide = { name: 'x', shape: [2], datatype: 'INT64' };
    const head = JSON.stringify({ inputs: [{ ...wide, data: [] }] }).replace('[]}', '[9007199254740993,-1]}');

    const { inputs } = read(head);

    expect(inputs[0]?.values).toEqual([9007199254740993n, -1]);
    expect(invocationOf({ inputs, parameters: {} })).toBe('{"instances":[{"x":9007199254740993},{"x":-1}]}');
  });
});

describe('a request is refused', () => {
  test.each<[string, Input, RegExp]>([
    ['a shape whose product is another', { ...x, shape: [2, 3] }, /must have 6 values, and has 4/],
    [
      'nested lists of another shape',
      {
        ...x,
        shape: [4, 1],
        data: [
          [1, 2],
          [3, 4],
        ],
      },
      /nested lists of its shape/,
    ],
    ['lists of unequal lengths', { ...x, data: [[1, 2, 3], [4]] }, /nested lists of its shape/],
    ['texts that are said to be numbers', { ...x, data: [1, 2, 3, '4'] }, /not of FP32/],
    ['fractions that are said to be integers', { ...x, datatype: 'INT32' }, /not of INT32/],
    ['an integer out of its range', { ...x, datatype: 'INT8', data: [1, 2, 3, 128] }, /not of INT8/],
    ['a negative number without a sign', { ...x, datatype: 'UINT8', data: [1, 2, 3, -1] }, /not of UINT8/],
    ['numbers that are said to be booleans', { ...x, datatype: 'BOOL', data: [1, 0, 1, 0] }, /not of BOOL/],
    ['numbers that are said to be texts', { ...x, datatype: 'BYTES' }, /not of BYTES/],
    ['null', { ...x, data: [1, 2, 3, null] }, /not of FP32/],
    ['an unknown datatype', { ...x, datatype: 'toString' }, /no known datatype/],
    ['no shape', { ...x, shape: undefined }, /has no shape/],
    ['a fraction in the shape', { ...x, shape: [2.5, 2] }, /has no shape/],
    ['a negative length', { ...x, shape: [-2, -2] }, /has no shape/],
    ['a huge shape', { ...x, shape: [1e9, 1e9] }, /more than 262144 values/],
    ['a shape of nothing, a billion times', { ...x, shape: [1e9, 0], data: [] }, /has no values/],
    ['very many lists of lists of one value', { ...x, shape: [2e5, 1, 1] }, /more than 262144 values/],
    ['very many dimensions', { ...x, shape: Array(9).fill(1), data: [1] }, /9 dimensions/],
    ['no data', { ...x, data: undefined }, /has no data/],
    ['no name', { ...x, name: '' }, /has no name/],
    ['bytes that did not come', { ...x, parameters: { binary_data_size: 16 } }, /fewer bytes/],
    ['a size that is not a number of bytes', { ...x, parameters: { binary_data_size: -1 } }, /fewer bytes/],
  ])('for %s', (_, input, problem) => {
    expect(() => readInputs(input)).toThrow(problem);
  });

  test.each<[string, unknown, RegExp]>([
    ['what is not JSON', '{', /not JSON/],
    ['NaN, which is not JSON', '{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[NaN]}]}', /not JSON/],
    ['a very deep text', '['.repeat(200_000), /not JSON/],
    ['a deep text of large numbers', `${'['.repeat(100_000)}12345678901234567${']'.repeat(100_000)}`, /JSON/],
    ['a list', [], /must be a JSON object/],
    ['no inputs', { inputs: [] }, /no inputs/],
    ['an input that is nothing', { inputs: [null] }, /has no name/],
    ['one name twice', { inputs: [x, x] }, /two inputs 'x'/],
    ['an id that is a number', { id: 1, inputs: [x] }, /the id must/],
    ['parameters that are a list', { parameters: [], inputs: [x] }, /the parameters must/],
    ['outputs without names', { inputs: [x], outputs: [{}] }, /the outputs must/],
    [
      'tensors that are too many together',
      {
        inputs: Array.from({ length: 3 }, (_, index) => ({
          ...x,
          name: `${index}`,
          shape: [2 ** 17],
          datatype: 'BOOL',
          data: Array(2 ** 17).fill(true),
        })),
      },
      /more than 262144/,
    ],
  ])('for %s', (_, head, problem) => {
    expect(() => read(head)).toThrow(problem);
  });

  test.each<[string, () => unknown, RegExp]>([
    ['fewer bytes than its shape', () => binary('FP32', [2], bytes(0, 0, 0, 0)), /must have 2 values, and has 4 bytes/],
    ['half a number', () => binary('FP32', [1], bytes(0, 0, 0)), /must have 1 values, and has 3 bytes/],
    ['a text that is longer than the rest', () => binary('BYTES', [1], bytes(9, 0, 0, 0, 97)), /must have 1 values/],
    ['a text without an end', () => binary('BYTES', [1], bytes(1, 0, 0, 0, 97, 1)), /must have 1 values/],
    ['a text that is not UTF-8', () => binary('BYTES', [1], bytes(1, 0, 0, 0, 0xff)), /not UTF-8/],
    ['NaN', () => binary('FP16', [1], bytes(0x00, 0x7e)), /NaN or an infinity/],
    ['an infinity', () => binary('FP32', [1], bytes(0, 0, 0x80, 0x7f)), /NaN or an infinity/],
    ['bytes that belong to no input', () => read({ inputs: [x] }, bytes(1)), /1 bytes of the body belong to no input/],
    [
      'a head that is longer than the body',
      () => read({ inputs: [x] }, bytes(), { 'inference-header-content-length': '999' }),
      /must be at most/,
    ],
    [
      'a length of the head that is not a number',
      () => read({ inputs: [x] }, bytes(), { 'inference-header-content-length': '-1' }),
      /must be at most/,
    ],
    ['an unknown compression', () => read({ inputs: [x] }, bytes(), { 'content-encoding': 'br' }), /'br' is not known/],
    [
      'a body that is not compressed',
      () => read({ inputs: [x] }, bytes(), { 'content-encoding': 'gzip' }),
      /is not gzip/,
    ],
  ])('for %s in binary data', (_, attempt, problem) => {
    expect(attempt).toThrow(problem);
  });

  test('for a small body that would be a large one', () => {
    const body = gzipSync(Buffer.alloc(1000));

    expect(() => readRequest(body, { 'content-encoding': 'gzip' }, 999)).toThrow(/more than 999 bytes; send less/);
  });
});

describe('what a model server is asked instead', () => {
  const asked = (head: unknown) => JSON.parse(invocationOf(read(head)));
  const column = (name: string, shape: readonly number[], data: readonly unknown[], datatype = 'FP64') => ({
    ...{ name, shape, data, datatype },
  });

  test.each<[string, readonly Input[], readonly unknown[]]>([
    [
      'one tensor: its rows',
      [x],
      [
        [1, 2.5],
        [3, 4],
      ],
    ],
    [
      'one tensor of three dimensions',
      [{ ...x, shape: [1, 2, 2] }],
      [
        [
          [1, 2.5],
          [3, 4],
        ],
      ],
    ],
    ['one tensor of one column: its rows', [column('x', [2, 1], [1, 2])], [[1], [2]]],
    ['one column: by its name', [column('x', [2], [1, 2])], [{ x: 1 }, { x: 2 }]],
    ['one value without a shape', [column('x', [], [7])], [{ x: 7 }]],
    [
      'several columns: by their names',
      [column('age', [2], [30, 40]), column('city', [2, 1], ['a', 'b'], 'BYTES')],
      [
        { age: 30, city: 'a' },
        { age: 40, city: 'b' },
      ],
    ],
    [
      'a column beside a tensor',
      [column('age', [2], [30, 40]), { ...x, name: 'image' }],
      [
        { age: 30, image: [1, 2.5] },
        { age: 40, image: [3, 4] },
      ],
    ],
  ])('%s', (_, inputs, instances) => {
    expect(asked({ inputs })).toEqual({ instances });
  });

  test('parameters come along, without what says how the answer is to be written', () => {
    expect(asked({ inputs: [x], parameters: { top: 3, binary_data_output: true } })).toMatchObject({
      parameters: { top: 3 },
    });
    expect(asked({ inputs: [x], parameters: { binary_data_output: true } })).not.toHaveProperty('parameters');
  });

  test('a name may be anything', () => {
    const text = invocationOf(read({ inputs: [column('__proto__', [1], [1]), column('b', [1], [2])] }));

    expect(text).toBe('{"instances":[{"__proto__":1,"b":2}]}');
  });

  test('names that would make a large body of a small one are refused', () => {
    const rows = 2 ** 17;
    const input = column('n'.repeat(200), [rows], Array(rows).fill(1));

    expect(() => asked({ inputs: [input] })).toThrow('are too long for that; send fewer rows, or shorter names');
  });

  test('tensors with another number of rows are refused', () => {
    const inputs = [column('a', [2], [1, 2]), column('b', [1], [1])];

    expect(() => asked({ inputs })).toThrow("input 'b' must have as many rows as 'a', 2");
  });
});
