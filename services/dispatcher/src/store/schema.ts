/** The platform's own tables, schema `airlock`. Change them here, then `pnpm run generate-migration`. */

export { choicedefinition, columndefinition, keydefinition, tabledefinition } from './schema/definitions.ts';
export { egressgrant, egresslog } from './schema/egress.ts';
export { asyncoperation, asyncoperationattempt, plugintracelog } from './schema/executions.ts';
export { apikey, auditlog, organization, systemuser } from './schema/organization.ts';
export {
  pluginassembly,
  plugintype,
  sdkmessage,
  sdkmessagefilter,
  sdkmessageprocessingstep,
  sdkmessageprocessingstepimage,
  sdkmessageprocessingstepsecureconfig,
} from './schema/registrations.ts';
export { datakey } from './schema/secrets.ts';
export { signingkey } from './schema/signing.ts';
