/** Where in the pipeline a step runs. Numbers are the platform's (`sdkmessageprocessingstep.stage`). */
export const Stage = { PreValidation: 10, PreOperation: 20, MainOperation: 30, PostOperation: 40 } as const;
export type Stage = (typeof Stage)[keyof typeof Stage];
/** The stages on which an author may register a step; 30 belongs to the platform and to custom messages. */
export type StepStage = 10 | 20 | 40;

export type StageName = keyof typeof Stage;

const stageNames = {
  10: 'PreValidation',
  20: 'PreOperation',
  30: 'MainOperation',
  40: 'PostOperation',
} as const satisfies Record<Stage, StageName>;

export function stageName(stage: Stage): StageName {
  return stageNames[stage];
}

/** `undefined`: not a stage on which a step may be registered. */
export function parseStepStage(value: number): StepStage | undefined {
  return value === 10 || value === 20 || value === 40 ? value : undefined;
}
