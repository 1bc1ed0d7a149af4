import fc from 'fast-check';
import { expect, test } from 'vitest';
import { step } from './fixtures.ts';
import { imagesOf, projectImage } from './image.ts';

const row = { logicalName: 'account', id: 'a', attributes: { name: 'Contoso', fax: null, revenue: 0, donotphone: false, city: '' } };

test('statement 30: columns without a value are missing; zero, false and empty text are values', () => {
  expect(projectImage(row, undefined).attributes).toEqual({ name: 'Contoso', revenue: 0, donotphone: false, city: '' });
});

test('only the chosen columns are there, and none that the row does not have', () => {
  expect(projectImage(row, ['name', 'fax', 'telephone1', 'toString'])).toEqual({ logicalName: 'account', id: 'a', attributes: { name: 'Contoso' } });
});

test('an image holds nothing that the row does not', () =>
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.option(fc.string())), fc.array(fc.string()), (attributes, columns) => {
      const image = projectImage({ logicalName: 'account', attributes }, columns);
      for (const [column, value] of Object.entries(image.attributes)) {
        expect(columns).toContain(column);
        expect(value).toBe(attributes[column]);
      }
    }),
  ));

const target = { messagePropertyName: 'Target', attributes: ['name'] };
const images = step({
  images: [
    { ...target, entityAlias: 'pre', imageType: 0 },
    { ...target, entityAlias: 'post', imageType: 1 },
    { ...target, entityAlias: 'both', imageType: 2 },
  ],
});

test('statement 30: an image is found under its alias, and one of both kinds in both places', () => {
  expect(Object.keys(imagesOf(images, 'pre', row))).toEqual(['pre', 'both']);
  expect(Object.keys(imagesOf(images, 'post', row))).toEqual(['post', 'both']);
  expect(imagesOf(images, 'pre', row)['pre']).toEqual(projectImage(row, ['name']));
});

test('without a row there are no images', () => {
  expect(imagesOf(images, 'pre', undefined)).toEqual({});
});
