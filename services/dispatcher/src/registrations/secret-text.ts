/**
 * The one place where a secure configuration changes between what an operator wrote and what is stored. Stored as it is
 * until encryption at rest exists; the step id is what the ciphertext will be bound to.
 */
export function sealSecret(_stepId: string, text: string): string {
  return text;
}

export function openSecret(_stepId: string, stored: string): string {
  return stored;
}
