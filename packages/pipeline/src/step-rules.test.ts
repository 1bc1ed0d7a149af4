import { describe, expect, test } from 'vitest';
import { step } from './fixtures.ts';
import { maximumLimits } from './limits.ts';
import type { ImageDraft, StepDraft } from './step-draft.ts';
import { checkStep, SupportedDeployment } from './step-rules.ts';

const facts = {
  tables: new Map([
    ['account', { columns: new Set(['name', 'fax']), customStepsAllowed: true }],
    ['plugintracelog', { columns: new Set(['typename']), customStepsAllowed: false }],
  ]),
};
const codes = (changes: Partial<StepDraft>) => checkStep({ ...step(), ...changes }, facts).map(({ code }) => code);
const image = (changes: Partial<ImageDraft> = {}): ImageDraft => ({
  entityAlias: 'pre',
  imageType: 0,
  messagePropertyName: 'Target',
  attributes: ['name'],
  ...changes,
});

test('a registered step is a legal draft', () => {
  expect(checkStep(step({ limits: { wallMs: 1_000 } }), facts)).toEqual([]);
});

describe('stage and mode', () => {
  test.for([10, 20])('statement 1: an asynchronous step is refused on stage %i', (stage) => {
    expect(codes({ stage, mode: 1 })).toEqual(['ASYNC_STAGE']);
  });

  test('statement 1: an asynchronous step is accepted on stage 40', () => {
    expect(codes({ stage: 40, mode: 1 })).toEqual([]);
  });

  test.for([0, 5, 15, 30, 45, 50, 20.5, Number.NaN])('statement 2: stage %d is refused', (stage) => {
    expect(codes({ stage })).toEqual(['STAGE_INVALID']);
  });

  test('a mode that is none is refused', () => {
    expect(codes({ mode: 2 })).toEqual(['STEP_INVALID']);
  });
});

describe('message and table', () => {
  test('statement 3: a table that allows no custom steps refuses them', () => {
    expect(checkStep({ ...step(), primaryTable: 'plugintracelog' }, facts)).toEqual([
      { code: 'STEP_NOT_ALLOWED', facts: { step: 'step', message: 'Update', table: 'plugintracelog' } },
    ]);
  });

  test('statement 3: Upsert has no steps of its own', () => {
    expect(codes({ messageName: 'Upsert' })).toEqual(['STEP_NOT_ALLOWED']);
  });

  test.for(['Execute', 'update', 'toString', ''])('the message "%s" is unknown', (messageName) => {
    expect(codes({ messageName })).toEqual(['MESSAGE_UNKNOWN']);
  });

  test('a table that is not there is refused', () => {
    expect(codes({ primaryTable: 'nothing' })).toEqual(['TABLE_UNKNOWN']);
  });
});

describe('filtering attributes', () => {
  test('a column that the table does not have is refused once and by name', () => {
    expect(checkStep(step({ filteringAttributes: ['name', 'nme', 'nme'] }), facts)).toEqual([
      { code: 'STEP_COLUMN_UNKNOWN', facts: { step: 'step', table: 'account', column: 'nme' } },
    ]);
  });

  test('statement 17: on Create they are ignored, whatever they name', () => {
    expect(codes({ messageName: 'Create', filteringAttributes: ['nme'] })).toEqual([]);
  });

  test('without a table there is nothing that they could name', () => {
    expect(codes({ primaryTable: undefined, filteringAttributes: ['name'] })).toEqual(['STEP_INVALID']);
  });
});

describe('images', () => {
  // The table of dataverse-facts §1.3, stage 40, for the messages that Airlock runs.
  test.for([
    ['Create', 0, ['IMAGE_TYPE_INVALID']],
    ['Create', 1, []],
    ['Create', 2, ['IMAGE_TYPE_INVALID']],
    ['Update', 0, []],
    ['Update', 1, []],
    ['Update', 2, []],
    ['Delete', 0, []],
    ['Delete', 1, ['IMAGE_TYPE_INVALID']],
    ['Delete', 2, ['IMAGE_TYPE_INVALID']],
    ['Update', 3, ['IMAGE_TYPE_INVALID']],
    ['Retrieve', 0, ['IMAGE_NOT_SUPPORTED']],
    ['RetrieveMultiple', 1, ['IMAGE_NOT_SUPPORTED']],
  ] as const)('statements 4, 5 and 7: %s with an image of type %i', ([messageName, imageType, expected]) => {
    expect(codes({ messageName, stage: 40, images: [image({ imageType })] })).toEqual(expected);
  });

  test.for([10, 20])('statement 6: a post image is refused on stage %i', (stage) => {
    expect(codes({ stage, images: [image({ imageType: 1 })] })).toEqual(['POST_IMAGE_STAGE']);
    expect(codes({ stage, images: [image({ imageType: 2 })] })).toEqual(['POST_IMAGE_STAGE']);
  });

  test('statement 8: a wrong property name is refused with property and message', () => {
    expect(checkStep({ ...step(), images: [image({ messagePropertyName: 'EntityMoniker' })] }, facts)).toEqual([
      { code: 'IMAGE_PROPERTY_INVALID', facts: { step: 'step', message: 'Update', property: 'EntityMoniker' } },
    ]);
  });

  test('two images cannot be found under one alias', () => {
    expect(codes({ images: [image(), image()] })).toEqual(['IMAGE_ALIAS_DUPLICATE']);
  });

  test.for(['', '__proto__', 'constructor', 'a b', 'x'.repeat(257)])('the alias "%s" is refused', (entityAlias) => {
    expect(codes({ images: [image({ entityAlias })] })).toEqual(['STEP_INVALID']);
  });

  test('a column that the table does not have is refused', () => {
    expect(codes({ images: [image({ attributes: ['nme'] })] })).toEqual(['STEP_COLUMN_UNKNOWN']);
  });

  test('an image with chosen columns needs a table, one with every column does not', () => {
    expect(codes({ primaryTable: undefined, images: [image()] })).toEqual(['STEP_INVALID']);
    expect(codes({ primaryTable: undefined, images: [image({ attributes: undefined })] })).toEqual([]);
  });
});

test.for([SupportedDeployment.ClientOnly, SupportedDeployment.Both])(
  'statement 9: a secure configuration with deployment %i is refused',
  (supportedDeployment) => {
    expect(codes({ supportedDeployment, secureConfiguration: 'key' })).toEqual(['SECURE_CONFIGURATION_DEPLOYMENT']);
    expect(codes({ supportedDeployment, secureConfiguration: '' })).toEqual([]);
    expect(codes({ secureConfiguration: 'key' })).toEqual([]);
  },
);

describe('limits', () => {
  test('the maximum of each limit is legal and one more is not', () => {
    for (const [name, maximum] of Object.entries(maximumLimits)) {
      expect(codes({ limits: { [name]: maximum } })).toEqual([]);
      expect(codes({ limits: { [name]: maximum + 1 } })).toEqual(['STEP_INVALID']);
    }
  });

  test.for([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('a time limit of %d is refused', (wallMs) => {
    expect(codes({ limits: { wallMs } })).toEqual(['STEP_INVALID']);
  });

  test('a step may be given no host calls at all', () => {
    expect(codes({ limits: { hostCalls: 0 } })).toEqual([]);
  });

  test.for(['wallSeconds', 'toString'])('the limit "%s" is unknown', (name) => {
    expect(codes({ limits: { [name]: 1 } })).toEqual(['STEP_INVALID']);
  });
});

test.for([{ name: ' ' }, { name: 'x'.repeat(257) }, { rank: 1.5 }, { rank: 2 ** 31 }])('a draft with %o is refused', (changes) => {
  expect(codes(changes)).toEqual(['STEP_INVALID']);
});

test('every broken rule is told at once', () => {
  const broken = codes({ stage: 10, mode: 1, filteringAttributes: ['nme'], images: [image({ imageType: 1 })] });
  expect(broken).toEqual(['ASYNC_STAGE', 'STEP_COLUMN_UNKNOWN', 'POST_IMAGE_STAGE']);
});
