import { ImageType, type Step } from './step.ts';
import type { AttributeValue, Entity } from './values.ts';

/** A snapshot of a row: the chosen columns (`undefined`: every one) that have a value. A missing key means "no value" (statement 30). */
export function projectImage(row: Entity, columns: readonly string[] | undefined): Entity {
  const chosen = columns ?? Object.keys(row.attributes);
  const attributes = chosen.flatMap((column): (readonly [string, AttributeValue])[] => {
    const value = Object.hasOwn(row.attributes, column) ? row.attributes[column] : undefined;
    return value === undefined || value === null ? [] : [[column, value]];
  });
  return { ...row, attributes: Object.fromEntries(attributes) };
}

/** The step's own images of one kind, keyed by alias; empty when there is no row to look at. */
export function imagesOf(step: Step, which: 'pre' | 'post', row: Entity | undefined): Readonly<Record<string, Entity>> {
  if (row === undefined) return {};
  const other = which === 'pre' ? ImageType.PostImage : ImageType.PreImage;
  const wanted = step.images.filter((image) => image.imageType !== other);
  return Object.fromEntries(wanted.map((image) => [image.entityAlias, projectImage(row, image.attributes)]));
}
