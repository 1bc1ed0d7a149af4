/** Where in the pipeline a step runs. Numbers are the platform's (`sdkmessageprocessingstep.stage`). */
export const Stage = { PreValidation: 10, PreOperation: 20, MainOperation: 30, PostOperation: 40 } as const;
export type Stage = (typeof Stage)[keyof typeof Stage];
/** The stages on which an author may register a step; 30 belongs to the platform and to custom messages. */
export type StepStage = 10 | 20 | 40;
